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

// TestLateHellosSetNoClock: hellos that come late do not move the moments of a host, however many there are.
// The clocks of two machines run apart, and that does.
func TestLateHellosSetNoClock(t *testing.T) {
	start, window := time.Now(), 2*time.Minute
	var l lags
	for i, c := range []struct{ lag, want time.Duration }{
		{time.Hour, 0},
		{time.Hour + 7*time.Second, 7 * time.Second},
		{time.Hour + 6*time.Second, 6 * time.Second},
		{time.Hour - time.Millisecond, 0},
		{time.Hour + time.Second, time.Second + time.Millisecond},
		{time.Hour + time.Second, time.Second + time.Millisecond},
		{time.Hour + time.Second, 0}, // the fastest hello is two windows old
		{time.Hour + 2*time.Second, time.Second},
	} {
		if got := l.add(c.lag, start.Add(time.Duration(i)*time.Minute), window); got != c.want {
			t.Errorf("hello %d was %s on its way, expected %s", i, got, c.want)
		}
	}
}

// TestClockRunsSteadily: the clock of a host is the time of day at its start, and counts on from there.
func TestClockRunsSteadily(t *testing.T) {
	start := time.Now()
	c := steadyClock{start}
	if got, want := c.at(start.Add(time.Hour)), start.UnixMicro()+time.Hour.Microseconds(); got != want {
		t.Errorf("%d, expected %d", got, want)
	}
}

// TestHelloThatIsSaidAgainHasTheClockOfNow: the ages of its ends grow with the clock.
func TestHelloThatIsSaidAgainHasTheClockOfNow(t *testing.T) {
	now := time.Now()
	h := &hello{made: now, Clock: now.UnixMicro(), Ended: &ended{Age: 5}, Fault: &fault{ended: ended{Age: 7}}}
	later := h.at(now.Add(time.Second))
	if later.Clock-h.Clock != 1e6 || later.Ended.Age != 1e6+5 || later.Fault.Age != 1e6+7 {
		t.Errorf("%d, %+v, %+v", later.Clock-h.Clock, later.Ended, later.Fault)
	}
	if h.Ended.Age != 5 || h.Fault.Age != 7 {
		t.Error("the first hello has changed")
	}
}
