package rendezvous

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// newLaunch opens three released hosts whose leader launches the ranks of all. It sends a text to calls for
// each call back.
func newLaunch(t *testing.T, calls chan string) []*Session {
	t.Helper()
	w := newNetwork(t, 3)
	w.change = func(c *Config) {
		host := c.Self.Host
		c.Launches = true
		c.OnStop = func() { calls <- host + " stops" }
		c.OnQuiet = func() { calls <- host + " is quiet" }
	}
	return w.gather()
}

// receive waits for n texts, and returns them sorted.
func receive(t *testing.T, calls chan string, n int) []string {
	t.Helper()
	var words []string
	for range n {
		select {
		case word := <-calls:
			words = append(words, word)
		case <-time.After(testTimeout):
			t.Fatalf("received only %q", words)
		}
	}
	slices.Sort(words)
	return words
}

// causeOfEnd waits for the end of a session, and returns its cause.
func causeOfEnd(t *testing.T, s *Session) error {
	t.Helper()
	select {
	case <-s.Context().Done():
	case <-time.After(testTimeout):
		t.Fatal("nothing ends this host")
	}
	return context.Cause(s.Context())
}

// TestEndOfTheLauncherEndsAllHosts: when the launcher ends, the other hosts end with its success, or with
// its failure.
func TestEndOfTheLauncherEndsAllHosts(t *testing.T) {
	for _, code := range []int{0, 7} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			defer goleak.VerifyNone(t)
			all := newLaunch(t, make(chan string, 16))
			all[0].End(End{Code: code, Text: "mpirun: no luck", At: time.Now()})
			for _, s := range all[1:] {
				err := causeOfEnd(t, s)
				if code == 0 {
					if over, ok := errors.AsType[*OverError](err); !ok || over.Code != 0 {
						t.Errorf("got %v, want the launcher's end", err)
					}
				} else if peer, ok := errors.AsType[*PeerError](err); !ok || peer.Code != code || peer.Host != "h0" {
					t.Errorf("got %v, want h0's failure", err)
				}
			}
			leave(t, all, End{Code: code, Text: "mpirun: no luck"}, End{}, End{})
		})
	}
}

// TestFirstFaultIsTheFailureOfTheJob: the earliest fault counts, whichever host reports it and whatever the
// launcher says later.
func TestFirstFaultIsTheFailureOfTheJob(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := newLaunch(t, make(chan string, 16))
	now := time.Now()
	all[0].End(End{Code: 255, Text: "mpirun: one rank is gone", At: now})
	all[0].Fault("h1", End{Code: 69, Text: "its daemon is gone", At: now.Add(-20 * time.Millisecond)})
	all[2].Fault("h2", End{Code: 137, Text: "rank 3: killed by SIGKILL", At: now.Add(-50 * time.Millisecond)})
	for i, s := range all {
		if err := causeOfEnd(t, s); err == nil || err.Error() != "h2: rank 3: killed by SIGKILL" {
			t.Errorf("h%d ends with %v", i, err)
		}
	}
	for i, err := range leave(t, all, End{Code: 255}, End{}, End{}) {
		if peer, ok := errors.AsType[*PeerError](err); !ok || peer.Code != 137 {
			t.Errorf("h%d leaves with %v", i, err)
		}
	}
}

// TestWorkerCannotReportAFaultOfAnotherHost: a fault with the name of another host counts as a fault of the
// worker that reports it.
func TestWorkerCannotReportAFaultOfAnotherHost(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := newLaunch(t, make(chan string, 16))
	all[2].Fault("h1", End{Code: 9, Text: "slander", At: time.Now()})
	if err := causeOfEnd(t, all[1]); err == nil || err.Error() != "h2: slander" {
		t.Errorf("h1 ends with %v", err)
	}
	leave(t, all, End{}, End{}, End{})
}

// TestStopOfALaunchCallsBack: a stop calls OnStop on all hosts, and OnQuiet once no rank is at work on any
// of them. It does not end the sessions.
func TestStopOfALaunchCallsBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	calls := make(chan string, 16)
	all := newLaunch(t, calls)
	all[1].Stopped()
	if got := receive(t, calls, 3); !slices.Equal(got, []string{"h0 stops", "h1 stops", "h2 stops"}) {
		t.Errorf("got %q", got)
	}
	all[0].Quiet()
	all[2].Quiet()
	select {
	case word := <-calls:
		t.Errorf("%s, while h1 is not", word)
	default:
	}
	all[1].Quiet()
	if got := receive(t, calls, 3); !slices.Equal(got, []string{"h0 is quiet", "h1 is quiet", "h2 is quiet"}) {
		t.Errorf("got %q", got)
	}
	for i, s := range all {
		if s.Context().Err() != nil {
			t.Errorf("h%d ends by the stop alone", i)
		}
	}
	leave(t, all, End{}, End{}, End{})
}

// TestEarliestFailureCountsDespiteClocksAndDelays: of two failures the earlier counts, although its hello
// was delayed and the clocks of the hosts differ. A failure that follows from another one counts only
// without that.
func TestEarliestFailureCountsDespiteClocksAndDelays(t *testing.T) {
	start := time.Now()
	k := newRoster(&Config{Hosts: []string{"h0", "h1", "h2"}, Launches: true, Warn: func(string) {}})
	say := func(host string, skew, sent, late time.Duration, f *fault) {
		h := &hello{
			Protocol: Protocol, Member: Member{Host: host}, Instance: host, Count: int(sent/time.Millisecond) + 1,
			Clock: start.Add(skew + sent).UnixMicro(), Fault: f,
		}
		if r := k.takeHello(h, netip.Addr{}, start.Add(sent+late)); r != nil {
			t.Fatal(r.why)
		}
	}
	say("h0", 0, 0, time.Millisecond, nil)
	say("h1", time.Hour, 0, time.Millisecond, nil)
	say("h2", -time.Hour, 0, 2*time.Millisecond, nil)
	k.released = 1
	at := func(age time.Duration, text string) *fault {
		return &fault{ended: ended{Code: 1, Text: text, Age: age.Microseconds()}}
	}
	consequence := at(time.Hour, "consequence")
	consequence.Follows = true
	say("h0", 0, 10*time.Millisecond, time.Millisecond, consequence)
	say("h2", -time.Hour, 20*time.Millisecond, time.Millisecond, at(5*time.Millisecond, "second"))
	say("h1", time.Hour, 16*time.Millisecond, 80*time.Millisecond, at(4*time.Millisecond, "first"))
	if k.firstFailure.Text != "first" {
		t.Errorf("the %s failure counts", k.firstFailure.Text)
	}
}

// TestWaitForAnEarlierFailureDependsOnTheFirst: how long the leader waits for word of an earlier failure
// depends on what it knows.
func TestWaitForAnEarlierFailureDependsOnTheFirst(t *testing.T) {
	following := &fault{ended: ended{Code: 14, Text: "socket closed", Follows: true}}
	cause := &fault{ended: ended{Code: 137, Text: "killed"}}
	for _, c := range []struct {
		name          string
		first, second hello         // what h1 says, and what h0 says later
		secondAfter   time.Duration // the time between both
		decidedAfter  time.Duration // the time from the first one to the decision
		want          string
	}{
		{
			"a consequence waits for its cause",
			hello{Fault: following},
			hello{Fault: cause},
			2 * time.Second, 2600 * time.Millisecond, "killed",
		},
		{
			"a consequence does not wait for ever",
			hello{Fault: following},
			hello{},
			time.Second, 6 * time.Second, "socket closed",
		},
		{
			"a consequence does not wait longer than the launcher",
			hello{Fault: following},
			hello{Ended: &ended{Code: 14, Text: "mpirun", Follows: true}},
			time.Second, 1600 * time.Millisecond, "socket closed",
		},
		{
			"a cause waits for an earlier one only",
			hello{Fault: cause},
			hello{},
			0, 600 * time.Millisecond, "killed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newRoster(&Config{Hosts: []string{"h0", "h1"}, Launches: true, Warn: func(string) {}})
				start := time.Now()
				say := func(host string, h hello) {
					h.Protocol, h.Host, h.Instance, h.Clock = Protocol, host, host, time.Now().UnixMicro()
					h.Count = int(time.Since(start)) + 1
					if r := k.takeHello(&h, netip.Addr{}, time.Now()); r != nil {
						t.Fatal(r.why)
					}
				}
				say("h0", hello{})
				say("h1", hello{})
				k.released = 1
				say("h1", c.first)
				time.Sleep(c.secondAfter)
				say("h0", c.second)
				answer := c.first // h1 answers the change
				answer.Seen = k.seq
				say("h1", answer)
				time.Sleep(c.decidedAfter - c.secondAfter - time.Millisecond)
				early, _ := k.viewFor(&hello{})
				time.Sleep(2 * time.Millisecond)
				v, _ := k.viewFor(&hello{})
				if early.First != nil || v.First == nil || v.First.Text != c.want {
					t.Errorf("before the time the answer is %v, after it %v", early.First, v.First)
				}
			})
		})
	}
}
