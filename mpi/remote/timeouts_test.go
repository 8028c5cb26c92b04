package remote

import (
	"testing"
	"time"
)

// TestTimeLimitsAreInOrder holds the comparisons that the comments in timeouts.go make.
func TestTimeLimitsAreInOrder(t *testing.T) {
	c := Config{PeerTimeout: 30 * time.Second} // the default of --peer-timeout
	const grace = 110 * time.Second            // the default of --grace
	for _, order := range []struct {
		what          string
		small, larger time.Duration
	}{
		{"three addresses are dialled within a handshake", 3 * dialTimeout, handshakeTimeout},
		{"the server's gate decides within a handshake", gateLookupTimeout, handshakeTimeout},
		{"a refused peer is looked up before its next attempt", gateLookupPause, maxRedialPause + 1},
		{"the first pause is smaller than the last", firstRedialPause, maxRedialPause},
		{"a host that comes late is not lost", maxRedialPause, c.connectTimeout()},
		{"a lost SYN does not lose a host", dialTimeout, c.connectTimeout()},
		{"a host that is never reached ends the job in time", c.connectTimeout(), c.PeerTimeout * 11 / 12},
		{"a failed Accept does not fail a dial", 10 * acceptPause, dialTimeout},
		{"the cause of a loss is known before the rendezvous tells it", lossGrace, c.PeerTimeout},
		{"silence is no loss before it is one for the rendezvous", c.PeerTimeout, c.silenceTimeout() + 1},
		{"silence is no loss long after it is one for the rendezvous", c.silenceTimeout(), c.PeerTimeout * 7 / 6},
		{"a stuck connection is replaced in time", 3 * c.staleTimeout(), c.silenceTimeout()},
		{"a host is found again soon", redialTimeout + maxRedialPause, 2*c.keepaliveInterval() + 1},
		{"a host that was reached is dialled for less long", redialTimeout, dialTimeout},
		{"a goodbye does not hold up the end of the job", c.farewellTimeout(), c.PeerTimeout / 12},
		{"two keepalives may be lost", 2 * c.keepaliveInterval(), c.staleTimeout()},
		{"a session ends within the grace", killGrace + outputGrace, grace / 10},
		{"a rank that does not read does not delay the others for long", sendTimeout, grace / 10},
	} {
		if order.small >= order.larger {
			t.Errorf("%s: %s is not smaller than %s", order.what, order.small, order.larger)
		}
	}
}
