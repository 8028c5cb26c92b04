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
	door
	c      Config
	config *ssh.ServerConfig
	gate   gate

	mu      sync.Mutex
	waiting []net.Conn          // whose peers have not shown yet that they belong to a host, the oldest first
	warned  map[netip.Addr]bool // about whom
}

const (
	authTime  = 10 * time.Second // to show a key; a host needs milliseconds
	strangers = 16               // connections that have not shown one, beyond two for each host
	maxWarned = 32               // addresses
)

// Serve answers peers at l until Close.
func Serve(c Config, l net.Listener) (*Server, error) {
	s := &Server{c: c, warned: map[netip.Addr]bool{}}
	s.gate = gate{c: &s.c, addrs: map[string][]netip.Addr{}}
	err := c.check()
	if err == nil {
		s.config, err = c.server(s.identify)
	}
	if err != nil {
		return nil, err
	}
	s.open(l, s.come)
	return s, nil
}

// come lets peers in, and strangers no further.
func (s *Server) come(conn net.Conn) {
	known, waits, begin, out := s.gate.ask(conn)
	switch {
	case known:
		s.enter(conn)
	case !waits:
		s.turnAway(conn)
	}
	if out != nil {
		_ = out.Close()
	}
	if begin {
		s.work.Go(func() {
			for _, conn := range s.gate.look(s.ctx, s.enter) {
				s.turnAway(conn)
			}
		})
	}
}

func (s *Server) turnAway(conn net.Conn) {
	_ = conn.Close()
	s.warn(addrOf(conn.RemoteAddr()), "the name of no host of this job resolves to that address here")
}

// enter bounds the number of those that are not known yet: when one too many comes, the oldest of them is closed.
func (s *Server) enter(conn net.Conn) {
	defer s.attend(conn, func() { s.serve(conn) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting = append(s.waiting, conn); len(s.waiting) > strangers+2*len(s.c.Hosts) {
		_ = s.waiting[0].Close()
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}

// known takes a connection off that list.
func (s *Server) known(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, conn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// serve is a peer's connection.
func (s *Server) serve(raw net.Conn) {
	late := time.AfterFunc(authTime, func() { _ = raw.Close() })
	_, channels, requests, err := ssh.NewServerConn(&link{raw, s.c.silence()}, s.config)
	late.Stop()
	s.known(raw)
	if err != nil {
		s.refused(addrOf(raw.RemoteAddr()), err)
		return
	}
	var work sync.WaitGroup
	work.Go(func() { ssh.DiscardRequests(requests) }) // an answer too, to the client's keepalive
	for channel := range channels {
		if channel.ChannelType() != "session" {
			_ = channel.Reject(ssh.Prohibited, "this is entrain's launch agent: it has sessions alone")
			continue
		}
		work.Go(func() { s.session(channel) })
	}
	work.Wait()
}

// identify tells whether a key is the one of the host that the user name names, and comes from there. That the key's
// private half is there too is the protocol's to see.
func (s *Server) identify(meta ssh.ConnMetadata, key ssh.PublicKey) error {
	host, from := meta.User(), addrOf(meta.RemoteAddr())
	if !slices.Contains(s.c.Hosts, host) {
		return fmt.Errorf("%q is not a host of this job", host)
	}
	wanted, err := s.c.public(roleClient, host)
	if err != nil {
		return err
	}
	if !same(key, wanted) {
		return fmt.Errorf("it says that it is %s, but has not that host's key for this cluster and job", host)
	}
	ctx, cancel := context.WithTimeout(s.ctx, authTime)
	defer cancel()
	addrs, err := s.c.Lookup(ctx, host)
	if err != nil {
		return fmt.Errorf("it says that it is %s, but that name does not resolve here: %w", host, err)
	}
	if !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == from }) {
		return fmt.Errorf("it says that it is %s, but that name resolves to %v here", host, addrs)
	}
	return nil
}

// refused tells of who has shown no key, or another one. Who went away, or spoke something else, has not even tried.
func (s *Server) refused(from netip.Addr, err error) {
	failed, ok := errors.AsType[*ssh.ServerAuthError](err)
	if !ok {
		return
	}
	why := "came without a key"
	for _, err := range failed.Errors {
		if !errors.Is(err, ssh.ErrNoAuth) {
			why = oneLine(err.Error())
		}
	}
	s.warn(from, why)
}

// warn tells of who was not let in, once for each address: there may be thousands.
func (s *Server) warn(from netip.Addr, why string) {
	s.mu.Lock()
	told := s.warned[from] || len(s.warned) >= maxWarned || s.ctx.Err() != nil
	if !told {
		s.warned[from] = true
	}
	s.mu.Unlock()
	if !told {
		s.c.Warn(fmt.Sprintf("%s was refused: %s", from, why))
	}
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
