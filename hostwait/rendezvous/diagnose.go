package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// diagnose says what an error of a connection to the leader most likely comes from. A leader that has answered before has
// started, and no rule of the network keeps this host from it: then its host or the network has failed since.
func diagnose(err error, addr string, answered bool) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	var timeout net.Error
	isTimeout := errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
	isUnreachable := errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
	switch {
	case isRefused(err) && answered:
		return addr + " refuses connections: entrain has ended there"
	case isRefused(err):
		return addr + " refuses connections: entrain has not started there, or has ended, or another image runs there"
	case isUnreachable && answered:
		return addr + " cannot be reached any more: the host is gone, or the network between"
	case isUnreachable:
		return addr + " cannot be reached: no route leads there, or the host is gone"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return addr + " closed the connection"
	case isTimeout && answered:
		return addr + " does not answer any more: the host is gone, or the network between"
	case isTimeout:
		return addr + " does not answer: the port is filtered, as by a security group without a rule that admits its own " +
			"members, or the host is gone"
	default:
		return oneLine(err.Error())
	}
}

// lost is the text about a leader that was there and is not any more.
func lost(err error, addr string, silent time.Duration) string {
	return fmt.Sprintf("lost: the leader has not answered for %s (it was there until then): %s",
		silent.Round(time.Second), diagnose(err, addr, true))
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// noHope is why an error will not go away by itself; empty if it may.
func noHope(err error) string {
	switch {
	case errors.Is(err, errOtherKey):
		return "its cluster key and the one here are different"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it has no cluster key, and this host has one"
	}
	return ""
}

// home is where a host is: the addresses of its interface, and what else is known of them.
type home struct {
	addrs      []netip.Addr // of the interface
	all        []netip.Addr // of all interfaces
	name       []netip.Addr // what the host's own name resolves to
	interfaces []string
	err        error // why the interface has no address
}

func findHome(ctx context.Context, c *Config) home {
	var h home
	list, err := net.Interfaces()
	h.err = err
	for _, i := range list {
		h.interfaces = append(h.interfaces, i.Name)
		addrs, _ := i.Addrs() // of one that just went away
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			h.all = append(h.all, prefix.Addr())
			if i.Name == c.Interface && !prefix.Addr().IsLinkLocalUnicast() {
				h.addrs = append(h.addrs, prefix.Addr())
			}
		}
	}
	switch {
	case err != nil:
	case !slices.Contains(h.interfaces, c.Interface):
		h.err = fmt.Errorf("this host has no interface %s, which network_interface_name names (it has %s)", c.Interface, strings.Join(h.interfaces, ", "))
	case len(h.addrs) == 0:
		h.err = fmt.Errorf("the interface %s, which network_interface_name names, has no address", c.Interface)
	}
	h.name, _ = c.Lookup(ctx, c.Self.Host) // another message says where it does not resolve
	return h
}

// listenAt is the address that peers find this host at: of the interface, and rather the one that its name leads
// to; without such an interface any that its name leads to; else the zero Addr, which stands for all.
func (h home) listenAt() netip.Addr {
	for _, candidates := range [][]netip.Addr{h.addrs, h.all} {
		for _, a := range candidates {
			if slices.Contains(h.name, a) {
				return a
			}
		}
		if len(candidates) > 0 && h.err == nil {
			return candidates[0]
		}
	}
	return netip.Addr{}
}

// listener listens where peers find this host. For all addresses the net package is given no host: it then knows whether
// this machine has IPv6, and takes 0.0.0.0 where it has not.
func (c *Config) listener(ctx context.Context) (net.Listener, error) {
	host := ""
	if at := findHome(ctx, c).listenAt(); at.IsValid() {
		host = at.String()
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(c.Port)))
	if err != nil {
		return nil, &ListenError{Err: err}
	}
	return l, nil
}

// Home is the address that peers find this host at; the zero Addr where that may be any.
func (s *Session) Home(ctx context.Context) netip.Addr { return findHome(ctx, &s.c).listenAt() }

// Listen listens where peers find this host, at the port that is the leader's elsewhere.
func (s *Session) Listen(ctx context.Context) (net.Listener, error) { return s.c.listener(ctx) }

// doubts are what may be wrong with where a host is.
func (h home) doubts(c *Config) []string {
	var doubts []string
	if h.err != nil {
		doubts = append(doubts, h.err.Error())
	}
	isAt := func(addrs []netip.Addr) bool {
		return slices.ContainsFunc(h.name, func(a netip.Addr) bool { return slices.Contains(addrs, a) })
	}
	switch {
	case len(h.name) == 0:
	case !isAt(h.all):
		doubts = append(doubts, fmt.Sprintf("%s is this host's name, but it resolves to %v, and this host has %v: the other hosts look for it elsewhere", c.Self.Host, h.name, h.all))
	case h.err == nil && !isAt(h.addrs):
		doubts = append(doubts, fmt.Sprintf("%s is this host's name, but it resolves to %v, and its interface %s has %v", c.Self.Host, h.name, c.Interface, h.addrs))
	}
	return doubts
}

// Doubts say what may be wrong with this host's own name and network. They help when the other hosts do not come.
func (s *Session) Doubts(ctx context.Context) []string { return findHome(ctx, &s.c).doubts(&s.c) }
