package rendezvous

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestLeaveDoesNotWaitForALeaderThatNeverAnswered: without a leader, Leave waits as long as it may stay,
// and not for PeerTimeout.
func TestLeaveDoesNotWaitForALeaderThatNeverAnswered(t *testing.T) {
	for _, c := range []struct {
		name string
		stay time.Duration
		act  func(s *Session)
	}{
		{"a host that must not stay", 0, func(*Session) {}},
		{"a host that has stayed", 10 * time.Millisecond, func(*Session) {}},
		{"a host that a signal hurries", time.Hour, (*Session).Hurry},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 2)
			n.change = func(c *Config) { c.PeerTimeout = time.Hour }
			s := n.open(1)
			s.End(End{Code: 7, Text: "no luck", At: time.Now()})
			c.act(s)
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			if err := s.Leave(ctx, c.stay); err != nil || ctx.Err() != nil {
				t.Errorf("left with %v, %v", err, ctx.Err())
			}
		})
	}
}

// TestLeaderStaysUntilEachEndIsSettled: a failed worker may be between two hellos when the first failure is
// decided. The leader stays until that worker learns of it, or is lost.
func TestLeaderStaysUntilEachEndIsSettled(t *testing.T) {
	start := time.Now()
	k := newRoster(&Config{Hosts: []string{"h0", "h1"}, PeerTimeout: 6 * time.Second, Warn: func(string) {}})
	h := &hello{Protocol: Protocol, Member: Member{Host: "h1"}, Instance: "h1", Clock: start.UnixMicro()}
	for count, end := range []*ended{nil, {Code: 7}} {
		h.Count, h.Ended = count, end
		if r := k.takeHello(h, netip.Addr{}, start); r != nil {
			t.Fatal(r.why)
		}
	}
	if !k.decided {
		t.Fatal("a failure before the release is not decided at once")
	}
	if k.isUnneeded(false, start) {
		t.Error("the leader leaves before the worker learns of the decision")
	}
	if !k.isUnneeded(false, start.Add(k.config.PeerTimeout)) {
		t.Error("the leader stays for a worker that is lost")
	}
	h.Count, h.Bye = 2, true
	if r := k.takeHello(h, netip.Addr{}, start); r != nil {
		t.Fatal(r.why)
	}
	if !k.isUnneeded(false, start) {
		t.Error("the leader stays after the worker has learned of the decision")
	}
}

// TestFailedWorkerStaysUntilItsLeaderComes: a worker that failed before its leader started stays to report
// that.
func TestFailedWorkerStaysUntilItsLeaderComes(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	worker := n.open(1)
	worker.End(End{Code: 7, Text: "no luck", At: time.Now()})
	left := make(chan error, 1)
	go func() { left <- worker.Leave(context.Background(), testTimeout) }()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for countMissing(worker) == 0 && ctx.Err() == nil { // until its first hello has failed
		hostwait.Pause(ctx, time.Millisecond)
	}
	hostwait.Pause(ctx, 2*farewellTime) // longer than the wait of a worker that must not stay
	leader := n.open(0)
	leader.Ready(nil)
	if _, err := leader.Gather(ctx); err == nil || err.Error() != "h1: no luck" {
		t.Errorf("the leader learns %v", err)
	}
	leave(t, []*Session{leader}, End{Code: 7})
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// TestLeaveDoesNotWaitForALeaderThatIsGone: before the release, Leave waits for a leader that has answered
// once only while it answers.
func TestLeaveDoesNotWaitForALeaderThatIsGone(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	n.change = func(c *Config) { c.PeerTimeout = time.Hour }
	leader, worker := n.open(0), n.open(1)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for !worker.isReachable() && ctx.Err() == nil {
		hostwait.Pause(ctx, time.Millisecond)
	}
	leader.link.close() // the process of the leader disappears
	if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port))); err == nil {
		conn.Close()
		t.Fatal("the leader still listens")
	}
	worker.End(End{Code: 7, At: time.Now()})
	if err := worker.Leave(ctx, 0); err != nil || ctx.Err() != nil {
		t.Errorf("left with %v, %v", err, ctx.Err())
	}
	cancel()
	_ = leader.Leave(ctx, 0)
}
