package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/crypto/ssh"
)

const dialTime = 3 * time.Second // for each of a host's addresses

// Pool is a host's standing connections to its peers, one to each.
type Pool struct {
	c      Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	peers map[string]*peer
}

// peer is one of them. A connection that was lost is not made again: what ran over it is gone.
type peer struct {
	host  string
	ready chan struct{} // closed when there is a connection, or will be none
	gone  chan struct{} // closed when there is none any more
	conn  ssh.Conn      // since ready; nil for none
	err   error         // since gone: why
}

// LostError is the error of a host that cannot be reached, from the start or after a while.
type LostError struct{ Host, Why string }

func (e *LostError) Error() string { return fmt.Sprintf("%s is lost: %s", e.Host, e.Why) }

// NewPool makes a pool without connections.
func NewPool(c Config) (*Pool, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &Pool{c: c, peers: map[string]*peer{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Close ends all connections, and everything that was started over them.
func (p *Pool) Close() {
	p.cancel()
	p.work.Wait()
}

// Connect begins to dial all hosts at once. Until ctx ends it dials a host again that does not answer yet.
func (p *Pool) Connect(ctx context.Context, hosts []string) {
	for _, host := range hosts {
		_ = p.peer(ctx, host, 0)
	}
}

// peer is the connection to a host, which is dialled if it was not yet; patience bounds that, if it is not 0.
func (p *Pool) peer(ctx context.Context, host string, patience time.Duration) *peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.peers[host]; known != nil {
		return known
	}
	n := &peer{host: host, ready: make(chan struct{}), gone: make(chan struct{})}
	p.peers[host] = n
	p.work.Go(func() {
		n.err = p.keep(ctx, n, patience)
		close(n.gone)
	})
	return n
}

// keep makes the connection to a peer, and tells how it ended.
func (p *Pool) keep(ctx context.Context, n *peer, patience time.Duration) error {
	w, err := p.dial(ctx, n.host, patience)
	if err != nil {
		close(n.ready)
		return err
	}
	n.conn = w.Conn
	close(n.ready)
	defer func() { _ = w.Close() }()
	defer context.AfterFunc(p.ctx, func() { _ = w.raw.Close() })()
	var work sync.WaitGroup
	gone := make(chan struct{})
	work.Go(func() { ssh.DiscardRequests(w.requests) })
	work.Go(func() { keepalive(w, p.c.every(), gone) })
	for channel := range w.channels { // that a server opens
		_ = channel.Reject(ssh.Prohibited, "this is a client")
	}
	close(gone)
	err = w.Wait()
	work.Wait()
	return err
}

// wire is a connection as the SSH package gives it.
type wire struct {
	ssh.Conn
	raw      net.Conn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
}

// dial tries until ctx ends, patience does, or there is no hope.
func (p *Pool) dial(ctx context.Context, host string, patience time.Duration) (w wire, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	config, err := p.c.client(host)
	if err != nil {
		return w, err
	}
	again := backoff.NewExponentialBackOff(backoff.WithInitialInterval(20*time.Millisecond), backoff.WithMaxInterval(time.Second), backoff.WithMaxElapsedTime(patience))
	var last error
	err = backoff.Retry(func() error {
		w, err = p.connect(ctx, host, config)
		if err != nil && (last == nil || ctx.Err() == nil) {
			last = err
		}
		if errors.Is(err, errOtherKey) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(again, ctx))
	if err != nil && last != nil {
		err = last // says more than that the time is over
	}
	return w, err
}

// connect makes a connection to the first of a host's addresses that takes one.
func (p *Pool) connect(ctx context.Context, host string, config *ssh.ClientConfig) (w wire, err error) {
	ctx, cancel := context.WithTimeout(ctx, authTime)
	defer cancel()
	addrs, err := p.c.Lookup(ctx, host)
	if err != nil {
		return w, fmt.Errorf("its name does not resolve: %w", err)
	}
	err = errors.New("its name resolves to no address")
	dialer := net.Dialer{LocalAddr: p.c.local, Timeout: dialTime, KeepAlive: -1} // keepalive sees to that
	for _, a := range addrs {
		if w.raw, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), strconv.Itoa(p.c.Port))); err == nil {
			break
		}
	}
	if err != nil {
		return w, err
	}
	defer context.AfterFunc(ctx, func() { _ = w.raw.Close() })()
	w.Conn, w.channels, w.requests, err = ssh.NewClientConn(&link{w.raw, p.c.silence()}, host, config)
	return w, err
}

// wait is the connection to a host, when there is one.
func (p *Pool) wait(ctx context.Context, host string) (*peer, error) {
	if !slices.Contains(p.c.Hosts, host) {
		return nil, fmt.Errorf("%s is not a host of this job: %v", host, p.c.Hosts[:min(8, len(p.c.Hosts))])
	}
	n := p.peer(p.ctx, host, p.c.PeerTimeout) // unless Connect has begun: a worker that launches in a tree
	select {
	case <-n.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if n.conn == nil {
		return nil, p.lost(n)
	}
	return n, nil
}

// lost is the error of a peer that is gone, or goes.
func (p *Pool) lost(n *peer) error {
	wait(n.gone, drain)
	select {
	case <-n.gone:
		return &LostError{Host: n.host, Why: p.why(n.err)}
	default:
		return &LostError{Host: n.host, Why: "the session ended without an exit code"}
	}
}

// why says what the error of a connection most likely comes from.
func (p *Pool) why(err error) string {
	var timeout net.Error
	isClosed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	switch {
	case p.ctx.Err() != nil:
		return "this host ended the connection"
	case isClosed && strings.Contains(err.Error(), "handshake failed"): // the package has no type for it
		return "it closed the connection before it knew this host; its log may say why"
	case isClosed:
		return "it closed the connection"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses connections: entrain has not started there, or has ended"
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return "no route leads there, or the host is gone"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("nothing was heard of it for %s", p.c.silence())
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer: the port is filtered, as by a security group without a rule that admits its own members, or the host is gone"
	case strings.Contains(err.Error(), "unable to authenticate"): // nor for this
		return "it refuses this host; its log says why"
	}
	return oneLine(err.Error())
}
