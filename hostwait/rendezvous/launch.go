package rendezvous

import (
	"slices"
	"time"
)

// take looks at what a launcher's hosts tell: faults, and that their ranks are done.
func (k *cluster) take(m *member, h *hello, now time.Time) {
	if f := h.Fault; f != nil && f.Host+f.Text != m.fault {
		m.fault = f.Host + f.Text
		host := h.Host
		if host == k.c.leader() && slices.Contains(k.c.Hosts, f.Host) {
			host = f.Host
		}
		k.fail(host, m.end(&f.ended), now)
	}
	if h.Begun && !k.begun {
		k.begun = true
		k.change()
	}
	if !k.quiet && h.Quiet && k.isQuiet() {
		k.quiet = true
		k.change()
	}
}

func (k *cluster) isQuiet() bool {
	for _, m := range k.members {
		if !m.Quiet && !m.ended {
			return false
		}
	}
	return true
}

// measure keeps the least lag: that of a hello which came through at once. A clock that is set begins anew.
func (m *member) measure(h *hello, now time.Time) {
	lag := now.Sub(time.UnixMicro(h.Clock))
	if m.heard.IsZero() || lag < m.lag || lag-m.lag > clockJump {
		m.lag = lag
	}
}

// end is what a host's last hello told, by the leader's clock. A hello that was held up does not make it later.
func (m *member) end(e *ended) *End {
	return &End{Code: e.Code, Text: e.Text, At: time.UnixMicro(m.Clock - min(e.Age, longestSpan.Microseconds())).Add(m.lag), Follows: e.Follows}
}

// Fault says why the job fails, of a host that goes on until it is told to end: this one or, on the leader, any. Of several
// the earliest counts.
func (s *Session) Fault(host string, e End) {
	e.Text, e.Code = oneLine(e.Text), failureCode(e.Code)
	s.say(func() {
		if s.fault == nil || e.order().Before(s.fault.order()) {
			s.fault, s.faultHost = &e, host
		}
	})
}

// Begin says that a rank has begun here, and HasBegun whether one has anywhere.
func (s *Session) Begin() { s.say(func() { s.self.Begun = true }) }

// HasBegun is as the leader has it.
func (s *Session) HasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.self.Begun || s.seen.Begun
}

// Quiet says that no rank is at work here any more.
func (s *Session) Quiet() { s.say(func() { s.self.Quiet = true }) }
