package hostwait

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// System is the resolver of Go's standard library. It finds the addresses that a trainer written in Go
// finds, and usually those that the C library finds. Its errors name neither the host nor the server.
func System(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, bareError(err)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

// Lookup returns the addresses of the first absolute name of a host that has any. Without one it returns
// the first error of a server, or errNoSuchHost.
func (n *NameServers) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	var last error
	for _, name := range n.absoluteNames(host) {
		addrs, err := n.askServers(ctx, name)
		if len(addrs) > 0 {
			return addrs, nil
		}
		if last == nil || !errors.Is(err, errNoSuchHost) {
			last = err
		}
	}
	return nil, last
}

// absoluteNames lists the absolute names to try for a host, in the order of resolv.conf(5).
func (n *NameServers) absoluteNames(host string) []string {
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

// askServers asks one server after the other for the IPv4 and the IPv6 addresses of a name until one of
// them answers.
func (n *NameServers) askServers(ctx context.Context, name string) ([]netip.Addr, error) {
	var last error
	for i := range len(n.Servers) * max(1, n.Attempts) {
		server := n.Servers[i%len(n.Servers)]
		v4, err4 := n.exchange(ctx, server, name, dnsmessage.TypeA)
		v6, err6 := n.exchange(ctx, server, name, dnsmessage.TypeAAAA)
		if addrs := append(v4, v6...); len(addrs) > 0 {
			return addrs, nil
		}
		if err4 == nil && err6 == nil {
			return nil, errNoSuchHost // or the name exists without an address, which is of no more use
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
