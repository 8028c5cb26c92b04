package rendezvous

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"entrain/hostwait"
)

// sources remembers where hosts come from, for a while.
type sources struct {
	lookup hostwait.Lookup
	mu     sync.Mutex
	known  map[string]source
}

type source struct {
	addrs []netip.Addr
	until time.Time
}

// of gives a host's addresses, asked anew where they do not hold the one that is looked for.
func (s *sources) of(ctx context.Context, host string, from netip.Addr) ([]netip.Addr, error) {
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
