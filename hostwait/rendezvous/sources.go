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

	nextSearch time.Time // the earliest start of the next search of hostAt
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

// hostAt returns the first of some hosts whose name leads to an address, or "". It looks up the names of all
// of them at most once in searchPause: strangers may come all the time.
func (s *sources) hostAt(ctx context.Context, hosts []string, from netip.Addr) string {
	if host := s.knownAt(hosts, from); host != "" || len(hosts) == 0 {
		return host
	}
	s.mu.Lock()
	now := time.Now()
	isEarly := len(hosts) > 1 && now.Before(s.nextSearch)
	if !isEarly {
		s.nextSearch = now.Add(searchPause)
	}
	s.mu.Unlock()
	if isEarly {
		return ""
	}
	var work sync.WaitGroup
	for _, host := range hosts {
		work.Go(func() { _, _ = s.addressesOf(ctx, host, from) }) // a name without an address leads nowhere
	}
	work.Wait()
	return s.knownAt(hosts, from)
}

// knownAt returns the first of some hosts whose known addresses contain an address, or "".
func (s *sources) knownAt(hosts []string, from netip.Addr) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, host := range hosts {
		if slices.Contains(s.known[host].addrs, from) {
			return host
		}
	}
	return ""
}
