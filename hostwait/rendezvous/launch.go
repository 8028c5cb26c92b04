package rendezvous

import (
	"slices"
	"time"
)

// takeLaunchState notes what a host says about the launch: faults, that a rank has begun, and that no rank
// is at work.
func (k *roster) takeLaunchState(m *member, h *hello, now time.Time) {
	if f := h.Fault; f != nil && f.Host+f.Text != m.lastFault {
		m.lastFault = f.Host + f.Text
		host := h.Host
		if host == k.config.leaderHost() && slices.Contains(k.config.Hosts, f.Host) {
			host = f.Host // only the leader may report a fault of another host
		}
		e := m.endByLeaderClock(&f.ended)
		if k.noteFailure(host, e, now); k.firstEnd == e {
			k.firstTeller = h.Host
		}
	}
	if h.Begun && !k.begun {
		k.begun = true
		k.announceChange()
	}
	if !k.quiet && h.Quiet && k.areAllQuiet() {
		k.quiet = true
		k.announceChange()
	}
}

// areAllQuiet reports whether no rank is at work on any host that has not ended.
func (k *roster) areAllQuiet() bool {
	for _, m := range k.members {
		if !m.Quiet && !m.ended {
			return false
		}
	}
	return true
}

// haveAllEnded reports whether all hosts on which the launcher has started ranks have told their ends, or are
// lost. Such a host uses the table.
func (k *roster) haveAllEnded() bool {
	for _, m := range k.members {
		if m.Table && !m.ended {
			return false
		}
	}
	return true
}

// noteMoment notes when a host has said its last hello, by the clock of the leader.
func (k *roster) noteMoment(m *member, h *hello, now time.Time) {
	lag := time.Duration(k.clock.at(now)-h.Clock) * time.Microsecond
	m.saidAt = now.Add(-m.lags.add(lag, now, k.config.lagWindow()))
}

// endByLeaderClock returns the end that the last hello of a host reports, with its moment by the clock of
// the leader. A hello that was delayed does not make the moment later.
func (m *member) endByLeaderClock(e *ended) *End {
	age := time.Duration(min(e.Age, longestSpan.Microseconds())) * time.Microsecond
	return &End{Code: e.Code, Text: e.Text, At: m.saidAt.Add(-age), Follows: e.Follows}
}

// Fault reports why the job fails, from a host that goes on until it is told to end. The failed host is
// this one; the leader may name any. Of several faults the earliest counts.
func (s *Session) Fault(host string, e End) {
	e.Text, e.Code = s.config.oneLine(e.Text), failureCode(e.Code)
	s.tellLeader(func() {
		if s.fault == nil || e.countsAt().Before(s.fault.countsAt()) {
			s.fault, s.faultHost = &e, host
		}
	})
}

// Begin reports that a rank has begun on this host.
func (s *Session) Begin() { s.tellLeader(func() { s.self.Begun = true }) }

// HasBegun reports whether a rank has begun on any host, as far as this host knows.
func (s *Session) HasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.self.Begun || s.lastView.Begun
}

// NotBegun returns the hosts on which no rank has begun, in the order of ranks. Only the leader knows them;
// on a worker the result is nil.
func (s *Session) NotBegun() []string {
	l, leads := s.link.(*leader)
	if !leads {
		return nil
	}
	return l.roster.notBegun()
}

// notBegun returns the hosts that have not said that a rank has begun there.
func (k *roster) notBegun() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var hosts []string
	for _, host := range k.config.Hosts {
		if m := k.members[host]; m == nil || !m.Begun {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// Quiet reports that no rank is at work on this host any more.
func (s *Session) Quiet() { s.tellLeader(func() { s.self.Quiet = true }) }
