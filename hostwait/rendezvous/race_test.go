package rendezvous

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestWarnOutsideOfTheLock: whoever logs may be slow, and no host may wait for that.
func TestWarnOutsideOfTheLock(t *testing.T) {
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
		h := &hello{Protocol: Protocol, Member: Member{Host: "h1"}, Instance: instance} // of a clock that stands at 1970
		return k.takeHello(h, netip.Addr{}, time.Now())
	}
	if r := say("one"); r != nil {
		t.Fatal(r.why)
	}
	if r := say("two"); r == nil {
		t.Error("two hosts of one name are taken")
	}
	k.noteRefusal(netip.MustParseAddr("192.0.2.7"), "a stranger")
	k.findLost(time.Now().Add(time.Hour))
	if len(warns) != 4 {
		t.Errorf("warned %q, expected the clock, the name, the stranger and the loss", warns)
	}
}

// TestWordsWhileDialling: a dial outlives the request that asked for it. The race detector has the last word.
func TestWordsWhileDialling(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			hostwait.Pause(context.WithoutCancel(ctx), time.Millisecond) // deaf to the end of the request
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
