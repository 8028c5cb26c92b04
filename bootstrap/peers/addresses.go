package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"entrain/bootstrap/plan"
	"entrain/hostwait"
	"entrain/proc"
)

// Addresses waits until the names of the hosts resolve on this host, as Await does, and returns an address of
// each by its name. self is the name of this host and link that of the network interface between the hosts.
func (h Process) Addresses(w plan.Wait, self, link string) (map[string]string, error) {
	hosts := w.Hosts
	if len(hosts) == 1 && hosts[0] == self {
		w.Hosts = nil // a host alone needs no name
	}
	if err := h.Await(nil, w, nil); err != nil {
		return nil, err
	}
	lookup, err := lookupOf(w.DNSOnly)
	if err != nil {
		return nil, err
	}
	signals, release := h.Signals.Context(context.Background())
	defer release()
	ctx, cancel := context.WithTimeout(signals, w.Timeout)
	defer cancel()
	prefixes := prefixesOf(link)
	addresses := make(map[string]string, len(hosts))
	for _, host := range hosts {
		found, err := lookup(ctx, host)
		if host == self {
			found, err = ownAddresses(found, prefixes), nil
		}
		if stop, ok := errors.AsType[*proc.SignalError](context.Cause(signals)); ok {
			return nil, stop
		}
		if err != nil {
			return nil, fmt.Errorf("the address of %s: %w", host, err)
		}
		addresses[host] = bestAddress(found, prefixes).String()
	}
	return addresses, nil
}

// ownAddresses returns what a host may tell others as its own address: what its name resolves to, unless only
// this host itself can use that, else what its interface has.
func ownAddresses(found []netip.Addr, prefixes []netip.Prefix) []netip.Addr {
	reachable := slices.DeleteFunc(slices.Clone(found), netip.Addr.IsLoopback)
	switch {
	case len(reachable) > 0:
		return reachable
	case len(prefixes) > 0:
		return []netip.Addr{prefixes[0].Addr()}
	}
	return append(found, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// bestAddress prefers an address in the network of the interface between the hosts, and then one of IPv4:
// many programs that take addresses take no others.
func bestAddress(found []netip.Addr, prefixes []netip.Prefix) netip.Addr {
	near := func(a netip.Addr) bool {
		return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if i := slices.IndexFunc(found, near); i >= 0 {
		return found[i]
	}
	return found[max(0, slices.IndexFunc(found, netip.Addr.Is4))]
}

// prefixesOf returns the addresses of an interface with their networks, those of IPv4 first. It returns none
// if this host has no such interface.
func prefixesOf(link string) []netip.Prefix {
	i, err := net.InterfaceByName(link)
	if err != nil {
		return nil
	}
	addrs, _ := i.Addrs() // fails if the interface has just disappeared
	var four, six []netip.Prefix
	for _, a := range addrs {
		switch p, err := netip.ParsePrefix(a.String()); {
		case err != nil || p.Addr().IsLinkLocalUnicast():
		case p.Addr().Is4():
			four = append(four, p)
		default:
			six = append(six, p)
		}
	}
	return append(four, six...)
}

// lookupOf looks names up as the trainer will, or by DNS alone.
func lookupOf(dnsOnly bool) (hostwait.Lookup, error) {
	if !dnsOnly {
		return hostwait.System, nil
	}
	servers, err := hostwait.ReadResolvConf(resolvConf)
	if err != nil {
		return nil, noServersError(err)
	}
	return servers.Lookup, nil
}

// noServersError says that --dns-only has no name servers to ask.
func noServersError(err error) error { return &plan.UsageError{Err: fmt.Errorf("--dns-only: %w", err)} }
