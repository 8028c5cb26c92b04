package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Server starts daemons for the other hosts of the job.
type Server struct {
	acceptor
	c      Config
	config *ssh.ServerConfig
	gate   gate

	mu              sync.Mutex
	clients         map[clientKey]*client
	unauthenticated []net.Conn          // connections from hosts' addresses without a key yet, the oldest first
	warned          map[netip.Addr]bool // the addresses that the log warns of
}

const (
	maxStrangers = 16 // unauthenticated connections, in addition to two for each host
	maxWarned    = 32 // addresses that the log warns of
)

// Serve answers the other hosts at a listener until Close.
func Serve(c Config, listener net.Listener) (*Server, error) {
	s := &Server{c: c, warned: map[netip.Addr]bool{}, clients: map[clientKey]*client{}}
	s.gate = gate{c: &s.c, addrs: map[string][]netip.Addr{}}
	err := c.check()
	if err == nil {
		s.config, err = c.serverConfig(s.authorize)
	}
	if err != nil {
		return nil, err
	}
	s.trouble = func(err error) { c.Warn("cannot accept connections of the other hosts: " + err.Error()) }
	s.start(listener, s.classify)
	return s, nil
}

// classify serves a connection that comes from a host's address, and closes any other.
func (s *Server) classify(conn net.Conn) {
	verdict, mustLookUp, evicted := s.gate.classify(conn)
	switch verdict {
	case fromPeer:
		s.admit(conn)
	case fromStranger:
		s.refuseStranger(conn)
	case undecided: // lookUpAll decides
	}
	if evicted != nil {
		_ = evicted.Close()
	}
	if mustLookUp {
		s.work.Go(func() {
			for _, stranger := range s.gate.lookUpAll(s.ctx, s.admit) {
				s.refuseStranger(stranger)
			}
		})
	}
}

func (s *Server) refuseStranger(conn net.Conn) {
	_ = conn.Close()
	s.warn(remoteAddr(conn), "the name of no host of this job resolves to that address here")
}

// admit serves a connection. It bounds the number of those that are not authenticated: when there is one too
// many, it closes the oldest.
func (s *Server) admit(conn net.Conn) {
	defer s.handle(conn, func() { s.serve(conn) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unauthenticated = append(s.unauthenticated, conn)
	if len(s.unauthenticated) > maxStrangers+2*len(s.c.Hosts) {
		_ = s.unauthenticated[0].Close()
		s.unauthenticated = slices.Delete(s.unauthenticated, 0, 1)
	}
}

// removeUnauthenticated takes a connection off the list of unauthenticated ones.
func (s *Server) removeUnauthenticated(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.unauthenticated, conn); i >= 0 {
		s.unauthenticated = slices.Delete(s.unauthenticated, i, i+1)
	}
}

// serve authenticates a connection, and serves its sessions until it ends.
func (s *Server) serve(conn net.Conn) {
	raw := newDeadlineConn(conn, s.c.silenceTimeout())
	late := time.AfterFunc(handshakeTimeout, func() { _ = conn.Close() })
	client, channels, requests, err := ssh.NewServerConn(raw, s.config)
	late.Stop()
	s.removeUnauthenticated(conn)
	if err != nil {
		s.warnOfKey(remoteAddr(conn), err)
		return
	}
	l := &link{s: s, raw: raw, conn: client, replaced: make(chan struct{})}
	l.serve(channels, requests)
}

// Close tells the clients that this host's run ends. It kills the daemons, and waits until everything has
// ended.
func (s *Server) Close() {
	s.sayGoodbye()
	s.acceptor.Close()
}

// authorize checks a client's key and address. The user name says which host the client is. The key must be
// that host's, and the address one of that host's. Later, the SSH protocol checks that the client has the
// private half of the key.
func (s *Server) authorize(meta ssh.ConnMetadata, key ssh.PublicKey) error {
	host, from := meta.User(), remoteAddr(meta)
	if !slices.Contains(s.c.Hosts, host) {
		return fmt.Errorf("%q is not a host of this job", host)
	}
	wanted, err := s.c.publicKey(roleClient, host)
	if err != nil {
		return err
	}
	if !isSameKey(key, wanted) {
		return fmt.Errorf("it says that it is %s, but has not that host's key for this cluster and job", host)
	}
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTimeout)
	defer cancel()
	addrs, err := s.c.lookup(ctx, host)
	if err != nil {
		return fmt.Errorf("it says that it is %s, but that name does not resolve here: %w", host, err)
	}
	if !slices.Contains(addrs, from) {
		return fmt.Errorf("it says that it is %s, but that name resolves to %v here", host, addrs)
	}
	return nil
}

// warnOfKey warns of a client that has shown no key, or a wrong one. It is silent about a client that has
// ended the connection or does not speak SSH: that one has not tried to get in.
func (s *Server) warnOfKey(from netip.Addr, err error) {
	failed, ok := errors.AsType[*ssh.ServerAuthError](err)
	if !ok {
		return
	}
	why := "came without a key"
	for _, err := range failed.Errors {
		if !errors.Is(err, ssh.ErrNoAuth) {
			why = err.Error()
		}
	}
	s.warn(from, why)
}

// warn logs that a client was refused, once for each address and for at most maxWarned addresses: there may
// be thousands.
func (s *Server) warn(from netip.Addr, why string) {
	s.mu.Lock()
	isSilent := s.warned[from] || len(s.warned) >= maxWarned || s.ctx.Err() != nil
	if !isSilent {
		s.warned[from] = true
	}
	s.mu.Unlock()
	if !isSilent {
		s.c.Warn(fmt.Sprintf("%s was refused: %s", from, why))
	}
}
