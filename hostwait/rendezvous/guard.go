package rendezvous

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// guard is a listener that bounds the number of its connections that have not carried a valid hello yet.
// When one too many is accepted, the guard closes the oldest of them.
type guard struct {
	net.Listener
	maxUnknown int
	onClose    func(lastHello *hello, now time.Time) // called when a connection that carried a hello is closed
	onTLS      func(net.Conn)                        // called when a peer begins with TLS; may be nil

	mu      sync.Mutex
	unknown []*guarded // the connections without a valid hello, the oldest first
}

// guarded is a connection of a guard.
type guarded struct {
	net.Conn
	guard     *guard
	lastHello *hello // nil before the first one, and where the close says nothing about a host
	hasBegun  bool   // the peer has sent something; only Read uses it
}

func newGuard(l net.Listener, maxUnknown int, onClose func(lastHello *hello, now time.Time)) *guard {
	return &guard{Listener: l, maxUnknown: maxUnknown, onClose: onClose}
}

func (g *guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &guarded{Conn: conn, guard: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unknown = append(g.unknown, c); len(g.unknown) > g.maxUnknown {
		_ = g.unknown[0].Conn.Close()
		g.unknown = slices.Delete(g.unknown, 0, 1)
	}
	return c, nil
}

// Read looks at the first byte that a peer sends.
func (c *guarded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.hasBegun {
		c.hasBegun = true
		if p[0] == recordHandshake && c.guard.onTLS != nil {
			c.guard.onTLS(c.Conn)
		}
	}
	return n, err
}

// recordHandshake is the first byte of a connection with TLS (RFC 8446, section 5.1).
const recordHandshake = 22

// Close also reports a close between two requests, which no handler notices.
func (c *guarded) Close() error {
	c.guard.mu.Lock()
	last := c.lastHello
	c.lastHello = nil
	c.removeFromUnknown()
	c.guard.mu.Unlock()
	err := c.Conn.Close()
	if last != nil {
		c.guard.onClose(last, time.Now())
	}
	return err
}

func (c *guarded) removeFromUnknown() {
	if i := slices.Index(c.guard.unknown, c); i >= 0 {
		c.guard.unknown = slices.Delete(c.guard.unknown, i, i+1)
	}
}

// guardedOf returns the guard's part of a connection, below TLS.
func guardedOf(conn net.Conn) *guarded {
	if secure, ok := conn.(*secureConn); ok {
		conn = secure.NetConn()
	}
	c, _ := conn.(*guarded) // always
	return c
}

// addrOf returns the address of one end of a TCP connection.
func addrOf(end net.Addr) netip.Addr {
	if tcp, ok := end.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// noteHello notes the last hello of a connection. It is nil where the leader is about to close the
// connection.
func (c *guarded) noteHello(last *hello) {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	if c.lastHello = last; last != nil {
		c.removeFromUnknown()
	}
}
