package rendezvous

import (
	"context"
	"net"
	"slices"
	"sync"
)

// guard is a listener that holds a bounded number of connections of which none has shown yet that it belongs to a host:
// when one too many comes, the oldest of them is closed.
type guard struct {
	net.Listener
	most int

	mu      sync.Mutex
	waiting []*guarded // the oldest first
}

type guarded struct {
	net.Conn
	g *guard
}

func newGuard(l net.Listener, most int) *guard { return &guard{Listener: l, most: most} }

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
	c.admit()
	return c.Conn.Close()
}

// admit takes a connection off the list.
func (c *guarded) admit() {
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	if i := slices.Index(c.g.waiting, c); i >= 0 {
		c.g.waiting = slices.Delete(c.g.waiting, i, i+1)
	}
}

type guardKey struct{}

// context lets a request find its connection.
func (g *guard) context(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	return context.WithValue(ctx, guardKey{}, conn)
}

// admit says that a request's connection belongs to a host.
func admit(ctx context.Context) {
	if c, ok := ctx.Value(guardKey{}).(*guarded); ok {
		c.admit()
	}
}
