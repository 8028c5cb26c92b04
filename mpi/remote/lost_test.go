package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestLostHostIsNamed: whatever way a host is lost, Exec returns the reason, and the daemon is killed.
func TestLostHostIsNamed(t *testing.T) {
	const line = "sleep 61"
	for what, c := range map[string]struct {
		lose func(server *Server, p *Pool, cut func())
		why  string
	}{
		"its run ends":     {func(s *Server, _ *Pool, _ func()) { s.Close() }, "its run has ended"},
		"the cable is cut": {func(_ *Server, _ *Pool, cut func()) { cut() }, "nothing was heard of it for 1s"},
		"our run ends":     {func(_ *Server, p *Pool, _ func()) { p.Close() }, "this host ended the connection"},
	} {
		t.Run(what, func(t *testing.T) {
			n := newNetwork(t, 2)
			n.change = func(c *Config) { c.PeerTimeout = time.Second }
			server := n.serve(t, 1)
			cable := newCable(t, fmt.Sprintf("127.2.0.1:%d", n.port))
			n.port = cable.port
			p := n.pool(t, 0)
			s := newStreams(t)
			ended := make(chan error)
			go func() {
				_, err := p.Exec(t.Context(), "h1", []string{line}, s.files)
				ended <- err
			}()
			waitUntil(t, "the start", func() bool { return n.isRunning(line) })
			c.lose(server, p, cable.cut)
			err := <-ended
			want := "h1 is lost: " + c.why
			if lost, ok := errors.AsType[*LostError](err); !ok || lost.Host != "h1" || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
			waitUntil(t, "the daemon's end", func() bool { return !n.isRunning(line) })
			if _, err := p.Exec(t.Context(), "h1", []string{"true"}, s.files); err == nil {
				t.Error("a lost host is used again")
			}
		})
	}
}

// TestQuietSessionIsKept: a session that is silent for longer than PeerTimeout is kept.
func TestQuietSessionIsKept(t *testing.T) {
	n := newNetwork(t, 2)
	n.change = func(c *Config) { c.PeerTimeout = 300 * time.Millisecond }
	n.serve(t, 1)
	s := newStreams(t)
	code, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"sleep 1; exit 5"}, s.files)
	if code != 5 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestExecEndsWithItsContext: when ctx ends, the daemon is killed, and the connection stays.
func TestExecEndsWithItsContext(t *testing.T) {
	const line = "sleep 62"
	n := newNetwork(t, 2)
	n.serve(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	s := newStreams(t)
	p := n.pool(t, 0)
	go func() {
		_, err := p.Exec(ctx, "h1", []string{line}, s.files)
		ended <- err
	}()
	waitUntil(t, "the start", func() bool { return n.isRunning(line) })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	waitUntil(t, "the daemon's end", func() bool { return !n.isRunning(line) })
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 6"}, s.files); code != 6 || err != nil {
		t.Errorf("the connection ended with the session: code %d, error %v", code, err)
	}
}

// cable relays connections from a port of its own to an address, until cut. After that the connections stay
// open, and carry nothing.
type cable struct {
	port int
	stop chan struct{}
}

func (c *cable) cut() { close(c.stop) }

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	c := &cable{stop: make(chan struct{})}
	pass := func(from, to net.Conn) {
		defer to.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := from.Read(b)
			select {
			case <-c.stop: // the end of a connection does not cross either
				<-t.Context().Done()
				return
			default:
			}
			if err != nil {
				return
			}
			_, _ = to.Write(b[:n])
		}
	}
	c.port = relay(t, to, pass, pass)
	return c
}

// relay takes connections at a port of its own, and makes one to another address for each. there and back
// copy the bytes, and close the connection that they write to.
func relay(t *testing.T, to string, there, back func(from, to net.Conn)) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.2.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: address(0).AsSlice()}}).Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go there(near, far)
			go back(far, near)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
