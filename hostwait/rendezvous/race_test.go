package rendezvous

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestWarningsAreLoggedWithoutTheLock: a slow log must not make the hosts wait.
func TestWarningsAreLoggedWithoutTheLock(t *testing.T) {
	var k *roster
	var warns []string
	k = newRoster(&Config{Hosts: []string{"h0", "h1"}, PeerTimeout: time.Second, Warn: func(text string) {
		if warns = append(warns, text); !k.mu.TryLock() {
			t.Errorf("warned under the lock: %s", text)
			return
		}
		k.mu.Unlock()
	}})
	say := func(instance string) *refusal {
		// Without a Clock, the clock of the host is in the year 1970.
		h := &hello{Protocol: Protocol, Member: Member{Host: "h1"}, Instance: instance}
		return k.takeHello(h, netip.Addr{}, time.Now())
	}
	if r := say("one"); r != nil {
		t.Fatal(r.why)
	}
	if r := say("two"); r == nil {
		t.Error("two hosts with one name may join")
	}
	k.noteRefusal(netip.MustParseAddr("192.0.2.7"), "a stranger")
	k.findLost(time.Now().Add(time.Hour))
	if len(warns) != 4 {
		t.Errorf("warned %q, expected warnings about the clock, the name, the stranger and the loss", warns)
	}
}

// TestHellosDuringADialAreRaceFree: a dial may go on after its request has ended. The race detector checks
// what they share.
func TestHellosDuringADialAreRaceFree(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			hostwait.Pause(context.WithoutCancel(ctx), time.Millisecond) // it does not end with the request
			return lookup(ctx, host)
		}
	}
	s := n.open(1)
	for range 200 {
		s.Ready(nil)
		hostwait.Pause(t.Context(), time.Millisecond)
	}
	_ = s.Leave(t.Context(), 0)
}
