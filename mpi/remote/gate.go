package remote

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	lookTime = 3 * time.Second // for all hosts' names at once
	lookRest = time.Second     // from one such time to the next
)

// gate tells peers from strangers by their addresses, before a handshake: thousands of strangers take neither a peer's
// time nor its place.
type gate struct {
	c *Config

	mu      sync.Mutex
	addrs   map[string][]netip.Addr // of every host, when its name resolved last
	outside []net.Conn              // until the names are looked up, the oldest first
	looking bool
	next    time.Time // before which the names are not looked up again: they may be late, or change
}

// ask tells whether a connection comes from a peer, or waits outside until look has told. begin asks for that look; out
// is who must make room.
func (g *gate) ask(conn net.Conn) (known, waits, begin bool, out net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.knows(conn) {
		return true, false, false, nil
	}
	if !g.looking && now.Before(g.next) {
		return false, false, false, nil
	}
	if begin = !g.looking; begin {
		g.looking, g.next = true, now.Add(lookRest)
	}
	if g.outside = append(g.outside, conn); len(g.outside) > strangers {
		out = g.outside[0]
		g.outside = slices.Delete(g.outside, 0, 1)
	}
	return false, true, begin, out
}

func (g *gate) knows(conn net.Conn) bool {
	from := addrOf(conn.RemoteAddr())
	for _, addrs := range g.addrs {
		if slices.Contains(addrs, from) {
			return true
		}
	}
	return false
}

// look looks all hosts up, and lets in who comes from the address of one as soon as its name resolves. It gives the others.
func (g *gate) look(ctx context.Context, let func(net.Conn)) (refused []net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	// The leader first: mostly nobody else comes, and every host asking for every other is a flood of its own.
	if g.lookUp(ctx, g.c.Hosts[:1], let); !g.isFree() {
		g.lookUp(ctx, g.c.Hosts[1:], let)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	refused, g.outside, g.looking = g.outside, nil, false
	return refused
}

// isFree says whether nobody waits.
func (g *gate) isFree() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.outside) == 0
}

func (g *gate) lookUp(ctx context.Context, hosts []string, let func(net.Conn)) {
	var work sync.WaitGroup
	for _, host := range hosts {
		work.Go(func() {
			addrs, err := g.c.Lookup(ctx, host)
			if err != nil {
				return // what it was before is the best guess
			}
			for _, conn := range g.learn(host, addrs) {
				let(conn)
			}
		})
	}
	work.Wait()
}

// learn takes a host's addresses, and gives those who have waited for them.
func (g *gate) learn(host string, addrs []netip.Addr) (in []net.Conn) {
	plain := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		plain = append(plain, a.Unmap())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addrs[host] = plain
	g.outside = slices.DeleteFunc(g.outside, func(conn net.Conn) bool {
		known := slices.Contains(plain, addrOf(conn.RemoteAddr()))
		if known {
			in = append(in, conn)
		}
		return known
	})
	return in
}
