package rendezvous

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// listenAtAll listens at a port of some addresses. Without addresses it listens at all addresses of the host:
// it gives package net no address, which then knows whether this machine has IPv6, and takes 0.0.0.0 where it
// has not. An address that the kernel does not let anybody use yet, such as a new IPv6 address, is left out
// if there is another one.
func listenAtAll(ctx context.Context, addrs []netip.Addr, port int) (net.Listener, error) {
	hosts := make([]string, 0, max(1, len(addrs)))
	for _, a := range addrs {
		hosts = append(hosts, a.String())
	}
	if len(hosts) == 0 {
		hosts = append(hosts, "")
	}
	l := &listeners{accepted: make(chan accepted), closed: make(chan struct{})}
	l.closeOnce = sync.OnceValue(l.closeAll)
	var unusable error
	for _, host := range hosts {
		one, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			unusable = err
		case err != nil:
			_ = l.closeAll()
			return nil, err
		default:
			l.all = append(l.all, one)
		}
	}
	switch len(l.all) {
	case 0:
		return nil, unusable
	case 1:
		return l.all[0], nil
	}
	for _, one := range l.all {
		l.work.Go(func() { l.acceptAt(one) })
	}
	return l, nil
}

// listeners are several listeners that serve as one.
type listeners struct {
	all       []net.Listener
	accepted  chan accepted
	closed    chan struct{}
	closeOnce func() error
	work      sync.WaitGroup
}

// accepted is the result of an Accept.
type accepted struct {
	conn net.Conn
	err  error
}

// acceptAt hands on what one of the listeners accepts, until Close.
func (l *listeners) acceptAt(one net.Listener) {
	for {
		conn, err := one.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.closed:
			if err == nil {
				_ = conn.Close()
			}
			return
		}
	}
}

// Accept returns the next connection of any of the listeners. After Close its error is net.ErrClosed.
func (l *listeners) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close closes all listeners. Only the first call does anything.
func (l *listeners) Close() error { return l.closeOnce() }

func (l *listeners) closeAll() error {
	close(l.closed)
	var errs []error
	for _, one := range l.all {
		errs = append(errs, one.Close())
	}
	l.work.Wait()
	return errors.Join(errs...)
}

// Addr returns all addresses.
func (l *listeners) Addr() net.Addr {
	addrs := make(listenAddr, 0, len(l.all))
	for _, one := range l.all {
		addrs = append(addrs, one.Addr().String())
	}
	return addrs
}

// listenAddr is the address of several listeners.
type listenAddr []string

// Network returns the kind of network.
func (listenAddr) Network() string { return "tcp" }

func (a listenAddr) String() string { return strings.Join(a, " and ") }
