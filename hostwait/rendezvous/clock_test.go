package rendezvous

import (
	"net/netip"
	"testing"
	"time"
)

// TestLossWaitsForALeaderThatStoodStill: a leader whose process stood still reads first what the hosts said
// meanwhile.
func TestLossWaitsForALeaderThatStoodStill(t *testing.T) {
	start := time.Now()
	c := &Config{Hosts: []string{"h0", "h1"}, PeerTimeout: 30 * time.Second, Warn: func(string) {}}
	k := newRoster(c)
	h := &hello{Protocol: Protocol, Member: Member{Host: "h1"}, Instance: "i", Clock: start.UnixMicro()}
	if r := k.takeHello(h, netip.Addr{}, start); r != nil {
		t.Fatal(r.why)
	}
	k.released = 1
	k.findLost(start)
	now := start.Add(time.Hour) // the process stood still
	k.findLost(now)
	if k.firstFailure != nil {
		t.Error("h1 is lost at once: ", k.firstFailure.Text)
	}
	for end := now.Add(31 * time.Second); now.Before(end); now = now.Add(c.lossCheckPause()) {
		k.findLost(now)
	}
	if k.firstFailure == nil {
		t.Error("h1 is not lost after PeerTimeout")
	}
}

// TestOneLateHelloSetsNoClock: one hello that comes late does not move the moments of a host. Two in a row
// do, since the clock of the host was set then.
func TestOneLateHelloSetsNoClock(t *testing.T) {
	start := time.Now()
	var m member
	for i, c := range []struct{ lag, want time.Duration }{
		{time.Millisecond, time.Millisecond},
		{7 * time.Second, time.Millisecond},
		{2 * time.Millisecond, time.Millisecond},
		{time.Hour, time.Millisecond},
		{time.Hour + time.Second, time.Hour},
		{time.Minute, time.Minute},
	} {
		sent := start.Add(time.Duration(i) * time.Minute)
		m.measureLag(&hello{Clock: sent.UnixMicro()}, time.UnixMicro(sent.UnixMicro()).Add(c.lag))
		m.lastHeard = sent
		if m.lag != c.want {
			t.Errorf("hello %d: lag %s, expected %s", i, m.lag, c.want)
		}
	}
}

// TestHelloThatIsSaidAgainHasTheClockOfNow: the ages of its ends grow with the clock.
func TestHelloThatIsSaidAgainHasTheClockOfNow(t *testing.T) {
	now := time.Now()
	h := &hello{Clock: now.UnixMicro(), Ended: &ended{Age: 5}, Fault: &fault{ended: ended{Age: 7}}}
	later := h.at(now.Add(time.Second))
	if later.Clock-h.Clock != 1e6 || later.Ended.Age != 1e6+5 || later.Fault.Age != 1e6+7 {
		t.Errorf("%d, %+v, %+v", later.Clock-h.Clock, later.Ended, later.Fault)
	}
	if h.Ended.Age != 5 || h.Fault.Age != 7 {
		t.Error("the first hello has changed")
	}
}
