package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestLost: whatever way a host goes, the session is lost, and says so; nothing stays of what was started.
func TestLost(t *testing.T) {
	const line = "sleep 61"
	for what, c := range map[string]struct {
		lose func(server *Server, p *Pool, cut func())
		why  string
	}{
		"its run ends":     {func(s *Server, _ *Pool, _ func()) { s.Close() }, "h1 is lost: it closed the connection"},
		"the cable is cut": {func(_ *Server, _ *Pool, cut func()) { cut() }, "h1 is lost: nothing was heard of it for 500ms"},
		"our run ends":     {func(_ *Server, p *Pool, _ func()) { p.Close() }, "h1 is lost: this host ended the connection"},
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
			until(t, "the start", func() bool { return n.runs(line) })
			c.lose(server, p, cable.cut)
			err := <-ended
			if lost, ok := errors.AsType[*LostError](err); !ok || lost.Host != "h1" || err.Error() != c.why {
				t.Errorf("%v, want %s", err, c.why)
			}
			until(t, "the daemon's end", func() bool { return !n.runs(line) })
			if _, err := p.Exec(t.Context(), "h1", []string{"true"}, s.files); err == nil {
				t.Error("a host that was lost is back")
			}
		})
	}
}

// TestQuiet: a session that says nothing for long is kept.
func TestQuiet(t *testing.T) {
	n := newNetwork(t, 2)
	n.change = func(c *Config) { c.PeerTimeout = 300 * time.Millisecond }
	n.serve(t, 1)
	s := newStreams(t)
	if code, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"sleep 1; exit 5"}, s.files); code != 5 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestGivenUp: when the caller's context ends, so does what was started.
func TestGivenUp(t *testing.T) {
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
	until(t, "the start", func() bool { return n.runs(line) })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	until(t, "the daemon's end", func() bool { return !n.runs(line) })
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 6"}, s.files); code != 6 || err != nil {
		t.Errorf("the connection did not outlive the session: code %d, error %v", code, err)
	}
}

// cable hands bytes on between a port of its own and another, until it is cut: then connections stay, and carry nothing.
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
			case <-c.stop: // not even an end crosses
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

// relay takes connections at a port of its own to another address; there and back hand the bytes on, and close what they write to.
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
