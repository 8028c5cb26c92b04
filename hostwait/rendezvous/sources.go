package rendezvous

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"entrain/hostwait"
)

// sources finds the addresses that the hosts say hello from, and keeps them for addressesValidTime.
type sources struct {
	lookup hostwait.Lookup
	mu     sync.Mutex
	known  map[string]source // by the name of the host
}

// source is what the name of a host resolved to.
type source struct {
	addrs []netip.Addr
	until time.Time // the end of addressesValidTime
}

// addressesOf returns the addresses of a host. It looks them up anew unless the known ones contain the
// address from.
func (s *sources) addressesOf(ctx context.Context, host string, from netip.Addr) ([]netip.Addr, error) {
	s.mu.Lock()
	known, ok := s.known[host]
	s.mu.Unlock()
	if ok && time.Now().Before(known.until) && slices.Contains(known.addrs, from) {
		return known.addrs, nil
	}
	addrs, err := s.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]source{}
	}
	s.known[host] = source{addrs: addrs, until: time.Now().Add(addressesValidTime)}
	return addrs, nil
}
