package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestLateHostIsAwaited: Exec waits for a host that comes late, and names one that never comes.
func TestLateHostIsAwaited(t *testing.T) {
	n := newNetwork(t, 4)
	n.change = func(c *Config) { c.PeerTimeout = 3 * time.Second }
	p := n.pool(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	p.Connect(t.Context(), []string{"h1"})
	p.Connect(ctx, []string{"h2"})
	s := newStreams(t)
	isLost := func(host string) {
		t.Helper()
		_, err := p.Exec(t.Context(), host, []string{"true"}, s.files)
		want := host + " is lost: it refuses connections: entrain has not started there, or has ended"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	isLost("h2")
	n.serve(t, 1)
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 8"}, s.files); code != 8 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
	isLost("h3") // Connect was not called for it
	_, err := p.Exec(t.Context(), "evil.example", []string{"true"}, s.files)
	if want := "evil.example is not a host of this job: [h0 h1 h2 h3]"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestHostThatIsNeverReachedIsLost: its dial ends within PeerTimeout, although the context of Connect goes
// on. The error names the address that could not be reached.
func TestHostThatIsNeverReachedIsLost(t *testing.T) {
	n := newNetwork(t, 2)
	n.change = func(c *Config) { c.PeerTimeout = time.Second }
	p := n.pool(t, 0)
	p.Connect(t.Context(), []string{"h1"})
	s := newStreams(t)
	_, err := p.Exec(t.Context(), "h1", []string{"true"}, s.files)
	want := fmt.Sprintf("cannot be reached at port %d of %s, to which its name leads on h0: "+
		"it refuses connections: entrain has not started there, or has ended", n.port, address(1))
	if lost, ok := errors.AsType[*LostError](err); !ok || lost.Text() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestOtherServerIsRefused: a client ends the connection to a server that does not have the host's key.
func TestOtherServerIsRefused(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"another key":  func(c *Config) { c.KeyPair = pairsOf("o") },
		"another job":  func(c *Config) { c.KeyPair = pairsOf("s of another job") },
		"another host": func(c *Config) { c.Self = "h2" },
	} {
		n := newNetwork(t, 3)
		n.change = change
		n.serve(t, 1)
		n.change = func(*Config) {}
		s := newStreams(t)
		_, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"true"}, s.files)
		if err == nil || !strings.HasSuffix(err.Error(), errOtherKey.Error()) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestKeyIsRequired(t *testing.T) {
	c := newNetwork(t, 2).config(0)
	c.KeyPair = nil
	if _, err := NewPool(c); err == nil {
		t.Error("a pool without a key")
	}
	if _, err := Serve(c, nil); err == nil {
		t.Error("a server without a key")
	}
}

// TestLostErrorNamesTheCause: Exec says why a host cannot be reached, as far as that is known.
func TestLostErrorNamesTheCause(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	for what, c := range map[string]struct {
		change func(*Config)
		why    string
	}{
		"no name": {
			func(c *Config) {
				c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
			},
			"its name does not resolve: no such host",
		},
		"no address": {
			func(c *Config) {
				c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, nil }
			},
			"its name resolves to no address",
		},
		"no host": {
			func(c *Config) { c.local = &net.TCPAddr{IP: address(7).AsSlice()} },
			"it closed the connection before it knew this host; its log may say why",
		},
		"another host": {
			func(c *Config) { c.local = &net.TCPAddr{IP: address(2).AsSlice()} },
			"it refuses this host; its log says why",
		},
	} {
		n.change = func(config *Config) {
			config.PeerTimeout = time.Second
			c.change(config)
		}
		s := newStreams(t)
		_, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"true"}, s.files)
		if want := "h1 is lost: " + c.why; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
}

// TestClosedPoolDialsNobody: after Close a pool begins nothing, so that Close has waited for everything.
func TestClosedPoolDialsNobody(t *testing.T) {
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		c.Lookup = func(context.Context, string) ([]netip.Addr, error) {
			t.Error("a closed pool looks up a name")
			return nil, errors.New("no such host")
		}
	}
	p := n.pool(t, 0)
	p.Close()
	p.Connect(t.Context(), n.hosts)
	s := newStreams(t)
	_, err := p.Exec(t.Context(), "h1", []string{"true"}, s.files)
	if want := "h1 is lost: this host ended the connection"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
