package simnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn is one end of a connection.
type conn struct {
	machine *Machine // on which this end is
	worker  int      // the worker of the two hosts
	number  int      // of the connection, among those of the worker
	in, out *stream
	peer    *conn
	sent    int // the segments so far

	mu       sync.Mutex
	deadline time.Time // for writes
	closed   bool
}

// pair makes the two ends of a connection of a worker.
func (n *Net) pair(worker, number int) (near, far *conn) {
	up := &stream{net: n, changed: make(chan struct{})}
	down := &stream{net: n, changed: make(chan struct{})}
	near = &conn{machine: n.Machines[worker], worker: worker, number: number, in: down, out: up}
	far = &conn{machine: n.Machines[0], worker: worker, number: number, in: up, out: down, peer: near}
	near.peer = far
	for _, c := range []*conn{near, far} {
		c.machine.conns = append(c.machine.conns, c)
	}
	return near, far
}

// direction is 0 at the worker's end, and 1 at the leader's.
func (c *conn) direction() int {
	if c.machine.host == 0 {
		return 1
	}
	return 0
}

func (c *conn) Read(p []byte) (int, error) {
	for {
		c.machine.Thaw()
		c.in.mu.Lock()
		got, wait, err := c.in.take(p)
		changed := c.in.changed
		c.in.mu.Unlock()
		if got > 0 || err != nil || len(p) == 0 {
			return got, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		}
		timer.Stop()
	}
}

func (c *conn) Write(p []byte) (int, error) {
	m := c.machine
	m.Thaw()
	m.net.mu.Lock()
	m.writes++
	isLast := m.Kill.AtWrite > 0 && m.writes >= m.Kill.AtWrite && m.net.Since() >= m.Kill.At
	m.net.mu.Unlock()
	if isLast && m.Kill.Before {
		m.Die()
	}
	c.mu.Lock()
	late := !c.deadline.IsZero() && !time.Now().Before(c.deadline)
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed || m.IsKilled():
		return 0, net.ErrClosed
	case late:
		return 0, os.ErrDeadlineExceeded
	}
	c.in.mu.Lock()
	fault := c.in.fault != nil && c.in.failsAt <= m.net.Since()
	c.in.mu.Unlock()
	if fault {
		return 0, syscall.EPIPE
	}
	c.send(append([]byte(nil), p...))
	if isLast {
		m.Die()
	}
	return len(p), nil
}

// send passes a segment to the peer, or lets the network do something else with it.
func (c *conn) send(data []byte) {
	n := c.machine.net
	c.sent++
	at := n.arrival(c, c.sent, 200*time.Millisecond)
	x := n.Roll("trouble", c.worker, c.number, c.direction(), c.sent)
	switch {
	case n.isKind(n.Since()):
	case x < n.Troubles/3:
		n.Note("h%d's connection %d is reset", c.worker, c.number)
		c.reset(at)
		return
	case x < n.Troubles*2/3:
		n.Note("h%d's connection %d is cut in the middle of %d bytes", c.worker, c.number, len(data))
		_ = c.out.add(data[:len(data)/2], at)
		c.reset(at + time.Millisecond)
		return
	case x < n.Troubles:
		stall := time.Duration(n.Roll("stall", c.worker, c.number, c.sent) * float64(n.Stall))
		n.Note("h%d's connection %d stalls for %s", c.worker, c.number, stall.Round(time.Millisecond))
		at += stall
	}
	if c.out.add(data, at) {
		c.in.fail(syscall.ECONNRESET, at)
	}
}

// reset ends both directions with an error.
func (c *conn) reset(at time.Duration) {
	for _, s := range []*stream{c.in, c.out} {
		s.mu.Lock()
		s.broken = true
		s.mu.Unlock()
	}
	c.out.fail(syscall.ECONNRESET, at)
	c.in.fail(syscall.ECONNRESET, at)
}

// Close tells the peer, as the kernel does: with a reset where something was not read.
func (c *conn) Close() error {
	if c.end() == 0 {
		return net.ErrClosed
	}
	return nil
}

// end closes a connection, and returns when the peer sees that. It is 0 if the connection was closed before.
func (c *conn) end() time.Duration {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return 0
	}
	n := c.machine.net
	c.in.mu.Lock()
	unread := len(c.in.segments) > 0 && c.in.segments[0].at <= n.Since()
	c.in.mu.Unlock()
	c.in.fail(net.ErrClosed, 0)
	c.sent++
	at := n.arrival(c, c.sent, 200*time.Millisecond)
	if unread {
		c.out.fail(syscall.ECONNRESET, at)
		return at
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.end == nil {
		c.out.end, c.out.endsAt = io.EOF, max(c.out.last, at)
		c.out.announce()
	}
	return max(c.out.last, at)
}

func (c *conn) SetReadDeadline(at time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.deadline = at
	c.in.announce()
	return nil
}

func (c *conn) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = at
	return nil
}

func (c *conn) SetDeadline(at time.Time) error {
	_ = c.SetWriteDeadline(at)
	return c.SetReadDeadline(at)
}

func (c *conn) LocalAddr() net.Addr  { return addressOf(c.machine.host) }
func (c *conn) RemoteAddr() net.Addr { return addressOf(c.peer.machine.host) }
