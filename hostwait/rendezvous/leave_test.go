package rendezvous

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestLeaveWithoutALeader: what cannot be told to anybody is not waited for. The peer timeout is far beyond the test's own.
func TestLeaveWithoutALeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		linger time.Duration
		act    func(s *Session)
	}{
		{"who has waited, or was stopped", 0, func(*Session) {}},
		{"whose waiting is over", 10 * time.Millisecond, func(*Session) {}},
		{"whom a signal hurries", time.Hour, (*Session).Hurry},
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
			if err := s.Leave(ctx, c.linger); err != nil || ctx.Err() != nil {
				t.Errorf("left with %v, %v", err, ctx.Err())
			}
		})
	}
}

// TestLingering: a host that failed before its leader came stays to tell it.
func TestLingering(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	worker := n.open(1)
	worker.End(End{Code: 7, Text: "no luck", At: time.Now()})
	left := make(chan error, 1)
	go func() { left <- worker.Leave(context.Background(), testTimeout) }()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for worker.Missing() == nil && ctx.Err() == nil { // it has tried, in vain
		hostwait.Pause(ctx, time.Millisecond)
	}
	hostwait.Pause(ctx, 2*farewellTime) // the delay is what is tried
	leader := n.open(0)
	leader.Ready(nil)
	if _, err := leader.Gather(ctx); err == nil || err.Error() != "h1: no luck" {
		t.Errorf("the leader hears %v", err)
	}
	leave(t, []*Session{leader}, End{Code: 7})
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// TestLeaveOfALeaderThatIsGone: before the release a leader that answered once is waited for only while it answers.
func TestLeaveOfALeaderThatIsGone(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	n.change = func(c *Config) { c.PeerTimeout = time.Hour }
	leader, worker := n.open(0), n.open(1)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for !worker.isReachable() && ctx.Err() == nil {
		hostwait.Pause(ctx, time.Millisecond)
	}
	leader.link.close() // as if its process were gone
	if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port))); err == nil {
		conn.Close()
		t.Fatal("the leader still listens")
	}
	worker.End(End{Code: 7, At: time.Now()})
	if err := worker.Leave(ctx, 0); err != nil || ctx.Err() != nil {
		t.Errorf("left with %v, %v", err, ctx.Err())
	}
	cancel()
	_ = leader.Leave(ctx, 0) // which nobody needs
}
