package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/crypto/ssh"
)

// Pool holds a host's connections to its peers, one to each.
type Pool struct {
	c      Config
	id     string          // tells this pool from others of the same host, to the servers
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	peers    map[string]*peer
	isClosed bool // Close waits for work: nothing may be added to it any more
}

// LostError is the error of a host that cannot be reached, or not any more.
type LostError struct {
	Host, Why string
	// Unreached is the address at which no connection to the host ever stood, and From the host that tried. Both
	// are empty for a host that was reached before, and where no address is known.
	Unreached, From string
}

func (e *LostError) Error() string { return fmt.Sprintf("%s is lost: %s", e.Host, e.Why) }

// Text is the error without the host's name, for a message that begins with the name.
func (e *LostError) Text() string {
	host, port, err := net.SplitHostPort(e.Unreached)
	if err != nil {
		return "lost: " + e.Why
	}
	const format = "cannot be reached at port %s of %s, to which its name leads on %s: %s"
	return fmt.Sprintf(format, port, host, e.From, e.Why)
}

// NewPool makes a pool without connections.
func NewPool(c Config) (*Pool, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &Pool{c: c, id: rand.Text(), peers: map[string]*peer{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Close ends all connections, and everything that was started over them.
func (p *Pool) Close() {
	p.cancel()
	p.mu.Lock()
	p.isClosed = true
	p.mu.Unlock()
	p.work.Wait()
}

// Connect begins to connect to all hosts at once, and returns. A host that does not answer is dialled again
// until ctx ends, or connectTimeout is over. Then the host is lost.
func (p *Pool) Connect(ctx context.Context, hosts []string) {
	for _, host := range hosts {
		_ = p.peer(ctx, host)
	}
}

// peer gives a host's peer. If there is none yet, it makes one, and begins to connect to the host. Attempts
// end with ctx, and after connectTimeout. After Close, nothing begins: the peer is gone at once.
func (p *Pool) peer(ctx context.Context, host string) *peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.peers[host]; known != nil {
		return known
	}
	n := newPeer(p, host)
	p.peers[host] = n
	if p.isClosed {
		n.err = p.ctx.Err()
		close(n.ready)
		close(n.gone)
		return n
	}
	p.work.Go(func() { n.run(ctx) })
	return n
}

// start runs a function in a goroutine that Close waits for. After Close it does nothing.
func (p *Pool) start(work func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isClosed {
		p.work.Go(work)
	}
}

// connect tries to connect to a host until it succeeds, ctx ends, the deadline has come, or the host shows
// another key. timeout bounds the dial of one address.
func (p *Pool) connect(
	ctx context.Context, host string, timeout time.Duration, deadline time.Time,
) (c *clientConn, err error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	config, err := p.c.clientConfig(host)
	if err != nil {
		return nil, err
	}
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstRedialPause),
		backoff.WithMaxInterval(maxRedialPause), backoff.WithMaxElapsedTime(0)) // ctx bounds the attempts
	var last error
	err = backoff.Retry(func() error {
		c, err = p.dial(ctx, host, config, timeout)
		// An attempt that the deadline has ended says less than the one before it.
		if err != nil && (last == nil || ctx.Err() == nil && time.Now().Before(deadline)) {
			last = err
		}
		if errors.Is(err, errOtherKey) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(pauses, ctx))
	if err != nil && last != nil {
		err = last // backoff's own error may say only that ctx has ended
	}
	return c, err
}

// dial tries once to connect to a host. It uses the first of the host's addresses that takes a connection.
func (p *Pool) dial(
	ctx context.Context, host string, config *ssh.ClientConfig, timeout time.Duration,
) (*clientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	addrs, err := p.c.lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("its name does not resolve: %w", err)
	}
	err = errors.New("its name resolves to no address")
	var raw net.Conn
	for _, a := range addrs {
		if raw, err = p.c.dialAddr(ctx, a, timeout); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	c := &clientConn{raw: newDeadlineConn(raw, p.c.staleTimeout()), ended: make(chan struct{})}
	c.Conn, c.channels, c.requests, err = ssh.NewClientConn(c.raw, host, config)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("the handshake: %w", os.ErrDeadlineExceeded)
	}
	return c, err
}

// dialAddr connects to one address of a host.
func (c *Config) dialAddr(ctx context.Context, addr netip.Addr, timeout time.Duration) (net.Conn, error) {
	// TCP's keepalive is off: the function keepalive replaces it.
	dialer := net.Dialer{LocalAddr: c.local, Timeout: timeout, KeepAlive: -1}
	return dialer.DialContext(ctx, "tcp", net.JoinHostPort(addr.String(), strconv.Itoa(c.Port)))
}

// connected waits until the first connection to a host stands. It returns the connection's peer.
func (p *Pool) connected(ctx context.Context, host string) (*peer, error) {
	if !slices.Contains(p.c.Hosts, host) {
		return nil, fmt.Errorf("%s is not a host of this job: %v", host, p.c.Hosts[:min(maxNames, len(p.c.Hosts))])
	}
	// Usually Connect has made the peer. It has not on a worker, which launches daemons where a launcher builds
	// a tree.
	n := p.peer(p.ctx, host)
	select {
	case <-n.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case <-n.gone:
		return nil, p.lostError(n)
	default:
		return n, nil
	}
}

const maxNames = 8 // names of hosts in an error
