package remote

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// gate tells connections of peers from those of strangers by their addresses, before the handshake. So
// thousands of strangers cost no handshakes, and cannot push a peer out of the list of connections that have
// shown no key yet.
type gate struct {
	c *Config

	mu         sync.Mutex
	addrs      map[string][]netip.Addr // the addresses of every host, from the last look-up that succeeded
	pending    []net.Conn              // connections that wait for the running look-up, the oldest first
	isLooking  bool                    // a look-up runs
	nextLookup time.Time               // the earliest start of the next one: names may change, or resolve late
}

// verdict is what gate.classify says about a connection.
type verdict int

const (
	fromPeer     verdict = iota // it comes from an address of a host
	fromStranger                // it comes from another address
	undecided                   // lookUpAll will tell
)

// classify decides about a connection, as far as it can. mustLookUp asks the caller to call lookUpAll.
// evicted, if not nil, is a connection that the caller must close: too many are undecided.
func (g *gate) classify(conn net.Conn) (v verdict, mustLookUp bool, evicted net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.isKnown(conn) {
		return fromPeer, false, nil
	}
	if !g.isLooking && now.Before(g.nextLookup) {
		return fromStranger, false, nil
	}
	if mustLookUp = !g.isLooking; mustLookUp {
		g.isLooking, g.nextLookup = true, now.Add(gateLookupPause)
	}
	if g.pending = append(g.pending, conn); len(g.pending) > maxStrangers {
		evicted = g.pending[0]
		g.pending = slices.Delete(g.pending, 0, 1)
	}
	return undecided, mustLookUp, evicted
}

func (g *gate) isKnown(conn net.Conn) bool {
	from := remoteAddr(conn)
	for _, addrs := range g.addrs {
		if slices.Contains(addrs, from) {
			return true
		}
	}
	return false
}

// lookUpAll looks up the names of all hosts. It admits a pending connection as soon as its address turns out
// to be a host's. It returns the others, which are strangers.
func (g *gate) lookUpAll(ctx context.Context, admit func(net.Conn)) (strangers []net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, gateLookupTimeout)
	defer cancel()
	// The leader's name comes first: usually only the leader connects. If every host asked for every name, they
	// would flood the DNS server.
	if g.lookUpHosts(ctx, g.c.Hosts[:1], admit); g.hasPending() {
		g.lookUpHosts(ctx, g.c.Hosts[1:], admit)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	strangers, g.pending, g.isLooking = g.pending, nil, false
	return strangers
}

func (g *gate) hasPending() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.pending) > 0
}

func (g *gate) lookUpHosts(ctx context.Context, hosts []string, admit func(net.Conn)) {
	var work sync.WaitGroup
	for _, host := range hosts {
		work.Go(func() {
			addrs, err := g.c.lookup(ctx, host)
			if err != nil {
				return // the addresses from before are the best guess
			}
			for _, conn := range g.setAddrs(host, addrs) {
				admit(conn)
			}
		})
	}
	work.Wait()
}

// setAddrs stores a host's addresses. It returns the pending connections that come from them.
func (g *gate) setAddrs(host string, addrs []netip.Addr) (peers []net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addrs[host] = addrs
	g.pending = slices.DeleteFunc(g.pending, func(conn net.Conn) bool {
		isPeer := slices.Contains(addrs, remoteAddr(conn))
		if isPeer {
			peers = append(peers, conn)
		}
		return isPeer
	})
	return peers
}

// lookup resolves a host's name to plain addresses: no IPv4 address is written as IPv6.
func (c *Config) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := c.Lookup(ctx, host)
	plain := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		plain = append(plain, a.Unmap())
	}
	return plain, err
}

// remoteAddr is the plain address that a connection comes from.
func remoteAddr(conn interface{ RemoteAddr() net.Addr }) netip.Addr {
	if t, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
