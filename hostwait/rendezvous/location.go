package rendezvous

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// location is where a host is in the network.
type location struct {
	ofInterface []netip.Addr // the addresses of the interface in Config, but for link-local ones
	ofHost      []netip.Addr // the addresses of all interfaces
	ofName      []netip.Addr // what the host's own name resolves to
	interfaces  []string     // the names of all interfaces
	err         error        // why ofInterface is empty
}

// locate finds the location of this host.
func locate(ctx context.Context, c *Config) location {
	var l location
	list, err := net.Interfaces()
	l.err = err
	for _, i := range list {
		l.interfaces = append(l.interfaces, i.Name)
		addrs, _ := i.Addrs() // fails if the interface has just disappeared
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			l.ofHost = append(l.ofHost, prefix.Addr())
			if i.Name == c.Interface && !prefix.Addr().IsLinkLocalUnicast() {
				l.ofInterface = append(l.ofInterface, prefix.Addr())
			}
		}
	}
	switch {
	case err != nil:
	case !slices.Contains(l.interfaces, c.Interface):
		l.err = fmt.Errorf("this host has no interface %s, which network_interface_name names (it has %s)",
			c.Interface, strings.Join(l.interfaces, ", "))
	case len(l.ofInterface) == 0:
		l.err = fmt.Errorf("the interface %s, which network_interface_name names, has no address", c.Interface)
	}
	l.ofName, _ = c.Lookup(ctx, c.Self.Host) // the wait for the names reports the error
	return l
}

// listenAt returns the address at which the other hosts find this one. It is an address of the interface,
// preferably one to which the name of this host resolves. Without the interface it is any address of this
// host to which the name resolves. Without that it is the zero Addr, which means all addresses.
func (l location) listenAt() netip.Addr {
	for _, candidates := range [][]netip.Addr{l.ofInterface, l.ofHost} {
		for _, a := range candidates {
			if slices.Contains(l.ofName, a) {
				return a
			}
		}
		if len(candidates) > 0 && l.err == nil {
			return candidates[0]
		}
	}
	return netip.Addr{}
}

// listen listens where the other hosts find this one. For all addresses it gives package net no host:
// package net then knows whether this machine has IPv6, and takes 0.0.0.0 where it has not.
func (c *Config) listen(ctx context.Context) (net.Listener, error) {
	host := ""
	if at := locate(ctx, c).listenAt(); at.IsValid() {
		host = at.String()
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(c.Port)))
	if err != nil {
		return nil, &ListenError{Err: err}
	}
	return l, nil
}

// Home returns the address at which the other hosts find this one. It is the zero Addr if that may be any.
func (s *Session) Home(ctx context.Context) netip.Addr { return locate(ctx, &s.config).listenAt() }

// Listen listens at Home, on a worker, at the port that the leader uses for the rendezvous. It returns a
// *ListenError.
func (s *Session) Listen(ctx context.Context) (net.Listener, error) { return s.config.listen(ctx) }

// doubts says what may be wrong with the location of a host.
func (l location) doubts(c *Config) []string {
	var doubts []string
	if l.err != nil {
		doubts = append(doubts, l.err.Error())
	}
	resolvesTo := func(addrs []netip.Addr) bool {
		return slices.ContainsFunc(l.ofName, func(a netip.Addr) bool { return slices.Contains(addrs, a) })
	}
	name := fmt.Sprintf("%s is this host's name, but it resolves to %v", c.Self.Host, l.ofName)
	switch {
	case len(l.ofName) == 0:
	case !resolvesTo(l.ofHost):
		doubts = append(doubts,
			fmt.Sprintf("%s, and this host has %v: the other hosts look for it elsewhere", name, l.ofHost))
	case l.err == nil && !resolvesTo(l.ofInterface):
		doubts = append(doubts, fmt.Sprintf("%s, and its interface %s has %v", name, c.Interface, l.ofInterface))
	}
	return doubts
}

// Doubts says what may be wrong with the name and the network of this host. It helps when the other hosts
// do not come.
func (s *Session) Doubts(ctx context.Context) []string {
	return locate(ctx, &s.config).doubts(&s.config)
}
