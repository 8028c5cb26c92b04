package rendezvous

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// listenAddrs returns the addresses at which the other hosts may find this one: those of the interface, and
// those of this host to which its name resolves. It returns none if this host should listen at all addresses.
func (l location) listenAddrs() []netip.Addr {
	addrs := slices.Clone(l.ofInterface)
	for _, a := range l.ofName {
		if slices.Contains(l.ofHost, a) && !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// listen listens where the other hosts may find this one, and tells the log where that is.
func (c *Config) listen(ctx context.Context) (net.Listener, error) {
	if c.Listen != nil {
		return c.Listen(ctx)
	}
	l, err := listenAtAll(ctx, locate(ctx, c).listenAddrs(), c.Port)
	if err != nil {
		return nil, &ListenError{Err: err}
	}
	if c.Info != nil {
		c.Info("listening for the other hosts at " + l.Addr().String())
	}
	return l, nil
}

// Homes returns the addresses at which the other hosts may find this one. It returns none if this host should
// listen at all addresses.
func (s *Session) Homes(ctx context.Context) []netip.Addr {
	return locate(ctx, &s.config).listenAddrs()
}

// Listen listens on a worker as the leader does for the rendezvous: where the other hosts may find this host,
// at the same port. It returns a *ListenError.
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
	case len(l.ofName) == 0, len(l.ofHost) == 0: // one of them is unknown
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
