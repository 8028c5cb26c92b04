package rendezvous

import (
	"slices"
	"strings"
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

// explained returns the first failure, with what the launcher says about it.
func (k *roster) explained() *failure {
	f := k.firstFailure
	if f == nil || k.launcherEnd == nil {
		return f
	}
	text := Explained(f.Text, k.launcherEnd.said.explains)
	if text == f.Text {
		return f
	}
	return &failure{Host: f.Host, Code: f.Code, Text: k.config.oneLine(text)}
}

// Explained returns a failure's text with the first of some explanations that is about it: see
// Session.Explain.
func Explained(text string, explanations []string) string {
	for _, explanation := range explanations {
		who, words, _ := strings.Cut(explanation, ": ")
		hasReason := strings.Count(text, ": ") > 1
		isAbout := strings.HasPrefix(text, who+": ") ||
			who == AnyRank && strings.HasPrefix(text, "rank ") && !hasReason
		switch {
		case !isAbout || strings.Contains(text, words):
		case hasReason:
			return text + "; " + words
		default:
			return text + ": " + words
		}
	}
	return text
}

// AnyRank stands in an explanation for each rank whose failure gives no reason of its own.
const AnyRank = "*"

// lastLines returns the launcher's last lines, if it has failed.
func (k *roster) lastLines() string {
	if k.launcherEnd == nil {
		return ""
	}
	return k.launcherEnd.said.last
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
	m.delay = m.lags.add(lag, now, k.config.lagWindow())
	m.saidAt = now.Add(-m.delay)
}

// endByLeaderClock returns the end that the last hello of a host reports, with its moment by the clock of
// the leader. A hello that was delayed does not make the moment later.
func (m *member) endByLeaderClock(e *ended) *End {
	age := time.Duration(min(e.Age, longestSpan.Microseconds())) * time.Microsecond
	return &End{Code: e.Code, Text: e.Text, At: m.saidAt.Add(-age), Follows: e.Follows, Final: e.Final}
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

// Explain keeps what the leader's launcher says about the job's first failure, for all hosts. Call it before
// End. Each of explains is "WHO: WORDS", and is put behind the text of a first failure that begins with
// "WHO: ". The last lines of the launcher are for the failure file.
func (s *Session) Explain(explains []string, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = words{explains, last}
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
