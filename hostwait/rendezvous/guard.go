package rendezvous

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// guard is a listener that holds a bounded number of connections of which none has shown yet that it belongs to a host:
// when one too many comes, the oldest of them is closed.
type guard struct {
	net.Listener
	most  int
	broke func(h *hello, now time.Time) // hears of the close of a host's connection

	mu      sync.Mutex
	waiting []*guarded // the oldest first
}

type guarded struct {
	net.Conn
	g    *guard
	said *hello // the last that came over it; nil where its close says nothing of a host
}

func newGuard(l net.Listener, most int, broke func(h *hello, now time.Time)) *guard {
	return &guard{Listener: l, most: most, broke: broke}
}

func (g *guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &guarded{Conn: conn, g: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting = append(g.waiting, c); len(g.waiting) > g.most {
		_ = g.waiting[0].Conn.Close()
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
	return c, nil
}

func (c *guarded) Close() error {
	c.g.mu.Lock()
	said := c.said
	c.said = nil
	c.leave()
	c.g.mu.Unlock()
	err := c.Conn.Close()
	if said != nil { // also between two requests, when no handler notices it
		c.g.broke(said, time.Now())
	}
	return err
}

// leave takes a connection off the list.
func (c *guarded) leave() {
	if i := slices.Index(c.g.waiting, c); i >= 0 {
		c.g.waiting = slices.Delete(c.g.waiting, i, i+1)
	}
}

type guardKey struct{}

// withConnection lets a request find its connection.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	return context.WithValue(ctx, guardKey{}, conn)
}

// cameFrom is the address that a request comes from.
func cameFrom(ctx context.Context) netip.Addr {
	c, ok := ctx.Value(guardKey{}).(*guarded)
	if !ok {
		return netip.Addr{}
	}
	return addrOf(c.RemoteAddr())
}

// admit says that a request's connection belongs to a host, as what it has said tells; nil where this server is to close it.
func admit(ctx context.Context, said *hello) {
	if c, ok := ctx.Value(guardKey{}).(*guarded); ok {
		c.g.mu.Lock()
		defer c.g.mu.Unlock()
		if c.said = said; said != nil {
			c.leave()
		}
	}
}
