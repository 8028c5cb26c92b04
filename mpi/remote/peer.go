package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// peer is a host, with the connection to it and the sessions of its daemons.
type peer struct {
	p    *Pool
	host string
	// ready is closed when the first connection stands, and gone when the host is lost: there is no connection,
	// and there will be none. Both are closed where the host is lost before a connection has stood.
	ready, gone chan struct{}
	err         error // valid once gone is closed: why the host is lost

	mu       sync.Mutex
	conn     *clientConn   // nil while there is none
	changed  chan struct{} // closed and replaced when conn changes
	reached  bool          // a connection has stood
	sessions map[uint32]*session
	lastID   uint32
}

// clientConn is a connection as ssh.NewClientConn gives it, with the TCP connection below.
type clientConn struct {
	ssh.Conn
	raw      *deadlineConn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
	ended    chan struct{} // closed when the connection has ended
}

// silenceError is the error of a host that was reached before, and that was not heard of for too long.
type silenceError struct {
	silence time.Duration
	err     error // of the last connection, or of the last attempt to make another one
}

func (e *silenceError) Error() string { return fmt.Sprintf("silent for %s: %v", e.silence, e.err) }
func (e *silenceError) Unwrap() error { return e.err }

var (
	errHasEnded = errors.New("its run has ended")
	errRefuses  = errors.New("it refuses sessions")
)

func newPeer(p *Pool, host string) *peer {
	return &peer{
		p: p, host: host, ready: make(chan struct{}), gone: make(chan struct{}), changed: make(chan struct{}),
		sessions: map[uint32]*session{},
	}
}

// run connects to the peer, and connects again when a connection has ended, until the host is lost.
func (n *peer) run(ctx context.Context) {
	n.err = n.runUntilLost(ctx)
	if !n.reached {
		close(n.ready)
	}
	close(n.gone)
}

// runUntilLost returns why the host is lost. The host itself may say so. Else it is lost when nothing was
// heard of it for silenceTimeout, whatever has ended the last connection.
func (n *peer) runUntilLost(ctx context.Context) error {
	deadline, timeout := time.Now().Add(n.p.c.connectTimeout()), dialTimeout
	for {
		c, err := n.p.connect(ctx, n.host, timeout, deadline)
		if err == nil {
			timeout = redialTimeout
			err = n.use(c)
			deadline = c.raw.lastHeard().Add(n.p.c.silenceTimeout())
			if time.Now().Before(deadline) && n.p.ctx.Err() == nil &&
				!errors.Is(err, errHasEnded) && !errors.Is(err, errRefuses) {
				continue
			}
		}
		if n.reached && !errors.Is(err, errHasEnded) {
			err = &silenceError{n.p.c.PeerTimeout, err}
		}
		return err
	}
}

// use lets the sessions use a connection until it ends. It returns why it ended.
func (n *peer) use(c *clientConn) (err error) {
	var work sync.WaitGroup
	var said error
	work.Go(func() { said = answerRequests(c.requests) })
	work.Go(func() {
		select {
		case <-n.p.ctx.Done():
			n.sayGoodbye(c)
		case <-c.ended:
		}
	})
	if err = n.tellSessions(c); err == nil {
		n.setConn(c)
		work.Go(func() { keepalive(c, n.p.c.keepaliveInterval(), c.ended) })
		for channel := range c.channels { // channels that the server opens, until the connection ends
			_ = channel.Reject(ssh.Prohibited, "this is a client")
		}
		err = c.Wait()
	}
	n.setConn(nil)
	_ = c.raw.Close()
	close(c.ended)
	work.Wait()
	return errors.Join(said, err)
}

// sayGoodbye tells the server that this host wants no session any more, and closes the connection.
func (n *peer) sayGoodbye(c *clientConn) {
	n.mu.Lock()
	clear(n.sessions)
	n.mu.Unlock()
	defer time.AfterFunc(n.p.c.farewellTimeout(), func() { _ = c.raw.Close() }).Stop()
	_ = n.tellSessions(c)
	_ = c.raw.Close()
}

// tellSessions tells the server which sessions this host wants. The server ends all others.
func (n *peer) tellSessions(c *clientConn) error {
	n.mu.Lock()
	wanted := sessionsRequest{Client: n.p.id, Last: n.lastID}
	for _, id := range slices.Sorted(maps.Keys(n.sessions)) {
		wanted.Wanted = append(wanted.Wanted, formatID(id))
	}
	n.mu.Unlock()
	ok, _, err := c.SendRequest(requestSessions, true, ssh.Marshal(wanted))
	if err == nil && !ok {
		err = errRefuses
	}
	return err
}

// answerRequests answers the requests of the server until the connection ends. It returns errHasEnded where
// the server has said that its host's run ends.
func answerRequests(requests <-chan *ssh.Request) (said error) {
	for r := range requests {
		if r.Type == requestEnd {
			said = errHasEnded
		}
		_ = r.Reply(r.Type == requestEnd, nil)
	}
	return said
}

// setConn sets the connection that sessions use; nil while there is none.
func (n *peer) setConn(c *clientConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conn = c
	if c != nil && !n.reached {
		n.reached = true
		close(n.ready)
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

// await waits for a connection other than old. It returns nil where the host is lost, or nobody wants the
// session any more.
func (n *peer) await(s *session, old *clientConn) *clientConn {
	for {
		n.mu.Lock()
		c, changed := n.conn, n.changed
		n.mu.Unlock()
		if s.isFinished() {
			return nil
		}
		if c != nil && c != old {
			return c
		}
		select {
		case <-changed:
		case <-n.gone:
			return nil
		case <-s.over:
			return nil
		}
	}
}

// carry carries a session by one connection after the other, until nobody wants it or the host is lost. It
// returns an error where the server does not carry it on.
func (n *peer) carry(s *session, command string) error {
	n.mu.Lock()
	n.lastID++
	call := execRequest{ID: n.lastID, Command: command}
	n.sessions[call.ID] = s
	n.mu.Unlock()
	defer n.forget(call.ID)
	for c := n.await(s, nil); c != nil; c = n.await(s, c) {
		known, err := carryOver(c, s, call)
		if err == nil && !known && call.Resumed {
			return errors.New("it does not know the session any more")
		} else if err == nil && !known {
			return errRefuses
		}
		call.Resumed = call.Resumed || known
		if !c.endsBefore(lossGrace, s) {
			return errors.New("the session ended without an exit code")
		}
	}
	return nil
}

// endsBefore waits for the end of the connection. It returns false if neither that nor the end of the session
// comes within limit.
func (c *clientConn) endsBefore(limit time.Duration, s *session) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-s.over:
	case <-timer.C:
		return false
	}
	return true
}

// carryOver carries a session by a connection, until the connection or the session ends. It returns whether
// the server knows the session, and the error of a connection that has not told.
func carryOver(c *clientConn, s *session, call execRequest) (known bool, err error) {
	ch, requests, err := c.OpenChannel(sessionChannel, nil)
	if err != nil {
		return false, err
	}
	go ssh.DiscardRequests(requests) // until the channel ends
	defer func() { _ = ch.Close() }()
	known, err = ch.SendRequest(requestExec, true, ssh.Marshal(call))
	if known && err == nil {
		s.carry(ch)
	}
	return known, err
}

// forget ends a session, and tells the server so.
func (n *peer) forget(id uint32) {
	n.mu.Lock()
	delete(n.sessions, id)
	c := n.conn
	n.mu.Unlock()
	if c != nil {
		_ = n.tellSessions(c) // where the connection breaks, the next one begins with the same words
	}
}
