package hostwait

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// System is the standard library's resolver. It finds what a trainer written in Go finds, and usually what libc finds.
func System(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, reason(err)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

// Lookup gives the addresses of a host: the first name of the search list that has any.
func (n *NameServers) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	var last error
	for _, name := range n.names(host) {
		addrs, err := n.ask(ctx, name)
		if len(addrs) > 0 {
			return addrs, nil
		}
		if last == nil || !errors.Is(err, errNoSuchHost) {
			last = err
		}
	}
	return nil, last
}

// names are the absolute names to try, in the order of resolv.conf(5).
func (n *NameServers) names(host string) []string {
	if strings.HasSuffix(host, ".") {
		return []string{host}
	}
	var names []string
	for _, domain := range n.Search {
		names = append(names, strings.TrimSuffix(host+"."+domain, ".")+".")
	}
	if strings.Count(host, ".") >= n.NDots {
		return append([]string{host + "."}, names...)
	}
	return append(names, host+".")
}

var errNoSuchHost = errors.New("no such host")

// ask asks each server in turn until one answers, for IPv4 and for IPv6.
func (n *NameServers) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	var last error
	for i := range len(n.Servers) * max(1, n.Attempts) {
		server := n.Servers[i%len(n.Servers)]
		v4, err4 := n.exchange(ctx, server, name, dnsmessage.TypeA)
		v6, err6 := n.exchange(ctx, server, name, dnsmessage.TypeAAAA)
		if addrs := append(v4, v6...); len(addrs) > 0 {
			return addrs, nil
		}
		if err4 == nil && err6 == nil {
			return nil, errNoSuchHost // the name may exist without an address
		}
		if last = err4; last == nil {
			last = err6
		}
		if errors.Is(last, errNoSuchHost) {
			return nil, last
		}
	}
	return nil, last
}
