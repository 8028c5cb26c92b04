package rendezvous

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// stage is the roster of a leader with three released hosts, in a test with a clock of its own. The hosts
// h1 and h2 answer each change while they are up.
type stage struct {
	t     *testing.T
	k     *roster
	up    map[string]bool
	count int
}

// say delivers a hello of a host.
func (s *stage) say(host string, h hello) {
	s.t.Helper()
	s.sayHaving(s.k.seq, host, h)
}

// sayHaving delivers a hello of a host that has got a view.
func (s *stage) sayHaving(seen int, host string, h hello) {
	s.t.Helper()
	s.count++
	h.Seen = seen
	h.Protocol, h.Host, h.Instance, h.Clock, h.Count = Protocol, host, host, time.Now().UnixMicro(), s.count
	if r := s.k.takeHello(&h, netip.Addr{}, time.Now()); r != nil {
		s.t.Fatal(r.why)
	}
}

// decision returns the failure that all hosts are told of. It is nil before the decision.
func (s *stage) decision() *failure {
	v, _ := s.k.viewFor(&hello{})
	return v.First
}

// pass lets time pass. Hosts that are up answer each change at once, and otherwise say hello after each
// hold. The leader looks for lost hosts.
func (s *stage) pass(d time.Duration) {
	const tick = 10 * time.Millisecond
	end, asked := time.Now().Add(d), 0
	for ; time.Now().Before(end); time.Sleep(tick) {
		s.k.mu.Lock()
		news := s.k.seq > asked
		asked = s.k.seq
		s.k.mu.Unlock()
		for host, up := range s.up {
			m := s.k.members[host]
			if up && !m.ended && (news || time.Since(m.lastHeard) >= s.k.config.answerHold()) {
				s.say(host, hello{})
			}
		}
		s.k.findLost(time.Now())
	}
}

// TestLossCountsBeforeTheFailuresThatFollowFromIt: the loss of a host counts instead of a failure that may
// follow from it, and not instead of any other.
func TestLossCountsBeforeTheFailuresThatFollowFromIt(t *testing.T) {
	failure := func(s *stage, host string, age time.Duration) {
		s.say(host, hello{Ended: &ended{Code: 1, Text: "connection reset by peer", Age: age.Microseconds()}})
	}
	gone := func(s *stage) { s.up["h2"] = false }
	closed := func(s *stage) {
		gone(s)
		s.k.noteBreak(&s.k.members["h2"].hello, time.Now())
	}
	told := func(s *stage) {
		s.say("h0", hello{Fault: &fault{Host: "h2", ended: ended{Code: 1, Text: "a daemon"}}})
	}
	const lost, failed = "h2: lost", "h1: connection reset by peer"
	for _, c := range []struct {
		name   string
		act    func(s *stage)
		within time.Duration // the time up to the decision
		want   string        // the beginning of the failure that counts
	}{
		{"all other hosts are up", func(s *stage) { failure(s, "h1", 0) }, 300 * time.Millisecond, failed},
		{"the host is killed, and the leader notices it first", func(s *stage) {
			closed(s)
			s.pass(20 * time.Millisecond)
			failure(s, "h1", 0)
		}, 6 * time.Second, lost},
		{"the host is killed, and a trainer notices it first", func(s *stage) {
			gone(s)
			failure(s, "h1", 0)
			s.pass(20 * time.Millisecond)
			closed(s)
		}, 6 * time.Second, lost},
		{"the host is killed, and the leader's own trainer fails", func(s *stage) {
			closed(s)
			failure(s, "h0", 0)
		}, 6 * time.Second, lost},
		{"the host is cut off", func(s *stage) {
			gone(s)
			s.pass(200 * time.Millisecond)
			failure(s, "h1", 0)
		}, 6 * time.Second, lost},
		{"the host was cut off long ago", func(s *stage) {
			gone(s)
			s.pass(3 * time.Second)
			failure(s, "h1", 0)
		}, 6 * time.Second, lost},
		{"the host is cut off, and its connection is closed later", func(s *stage) {
			gone(s)
			failure(s, "h1", 0)
			s.pass(time.Second)
			closed(s)
		}, 6 * time.Second, lost},
		{"the failure is older than the break", func(s *stage) {
			closed(s)
			failure(s, "h1", time.Second)
		}, 300 * time.Millisecond, failed},
		{"the failure is decided before the break", func(s *stage) {
			failure(s, "h1", 0)
			s.pass(300 * time.Millisecond)
			closed(s)
		}, 300 * time.Millisecond, failed},
		{"the host comes back", func(s *stage) {
			closed(s)
			failure(s, "h1", 0)
			s.pass(time.Second)
			s.up["h2"] = true
			s.say("h2", hello{})
		}, time.Second + 100*time.Millisecond, failed},
		{"a hello that the host said before arrives after the failure", func(s *stage) {
			gone(s)
			seen := s.k.seq
			failure(s, "h1", 0)
			s.pass(100 * time.Millisecond)
			s.sayHaving(seen, "h2", hello{})
			closed(s)
		}, 7 * time.Second, lost},
		{"the host that is lost later is noticed first", func(s *stage) {
			closed(s)
			s.pass(time.Second)
			s.k.members["h1"].lastHeard = time.Now().Add(-6 * time.Second) // and said a hello just now
			s.up["h1"] = false
			s.k.findLost(time.Now())
		}, 7 * time.Second, lost},
		{"the host itself fails, and disappears", func(s *stage) {
			s.say("h2", hello{Fault: &fault{Host: "h2", ended: ended{Code: 1, Text: "own word"}}})
			closed(s)
		}, 4 * time.Second, "h2: own word"},
		{"the leader tells of a daemon that ended with its host", func(s *stage) {
			closed(s)
			told(s)
		}, 6 * time.Second, lost},
		{"the leader tells of a daemon that ended by itself", told, 300 * time.Millisecond, "h2: a daemon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{t: t, up: map[string]bool{"h1": true, "h2": true}}
				s.k = newRoster(&Config{
					Hosts: []string{"h0", "h1", "h2"}, PeerTimeout: 6 * time.Second, Warn: func(string) {},
				})
				for _, host := range s.k.config.Hosts {
					s.say(host, hello{Ready: true})
				}
				s.pass(900 * time.Millisecond)
				start := time.Now()
				c.act(s)
				for s.decision() == nil {
					s.pass(10 * time.Millisecond)
					if time.Since(start) > 20*time.Second {
						t.Fatal("nothing is decided")
					}
				}
				first := s.decision()
				got := first.Host + ": " + first.Text
				if took := time.Since(start); took > c.within || got[:len(c.want)] != c.want {
					t.Errorf("after %s the failure is %q, expected %q… within %s", took, got, c.want, c.within)
				}
				code, want := first.Code, map[bool]int{true: CodeLost, false: 1}[c.want == lost]
				if code != want {
					t.Errorf("code %d, expected %d", code, want)
				}
			})
		})
	}
}
