package remote

import (
	"net"
	"sync"
	"time"
)

// RankConn is the run's side of its conversation with `entrain rank`, which stands around a trainer on this host.
type RankConn struct {
	Rank, Pid int
	conn      net.Conn
	done      chan struct{}

	mu    sync.Mutex
	end   RankEnd
	ended bool
}

// Stop tells the rank to send its trainer SIGTERM.
func (r *RankConn) Stop() { _ = send(r.conn, rankOrder{orderStop}) }

// Leave tells the rank that it may end once its trainer has ended.
func (r *RankConn) Leave() { _ = send(r.conn, rankOrder{orderLeave}) }

// Done is closed when the trainer has ended, or the rank is gone.
func (r *RankConn) Done() <-chan struct{} { return r.done }

// End says how the trainer ended; it gives false where the rank was gone before it told that.
func (r *RankConn) End() (RankEnd, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end, r.ended
}

// rank stays with a rank until it goes.
func (s *Local) rank(conn *net.UnixConn, l lines, pid int) {
	call, err := readRank(l)
	if err != nil || conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	r := &RankConn{Rank: call.Rank, Pid: pid, conn: conn, done: make(chan struct{})}
	s.h.Joined(r)
	end, err := readEnd(l)
	r.mu.Lock()
	r.end, r.ended = end, err == nil
	r.mu.Unlock()
	close(r.done)
	if err == nil {
		_ = l.read(nil) // it says nothing more
	}
}

// RankClient is the rank's side of that conversation.
type RankClient struct {
	conn          net.Conn
	stopped, left chan struct{}
}

// Register tells the run on this host that a rank has begun.
func Register(socket string, rank int) (*RankClient, error) {
	conn, err := call(socket, kindRank, nil)
	if err != nil {
		return nil, err
	}
	if err := send(conn, rankCall{Rank: rank}); err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &RankClient{conn: conn, stopped: make(chan struct{}), left: make(chan struct{})}
	go c.listen()
	return c, nil
}

// Stopped is closed when the trainer is to be sent SIGTERM.
func (c *RankClient) Stopped() <-chan struct{} { return c.stopped }

// Left is closed when the rank may go, or the run is gone. One that may go while its trainer still runs tells its end first.
func (c *RankClient) Left() <-chan struct{} { return c.left }

// Ended tells how the trainer ended.
func (c *RankClient) Ended(e RankEnd) error { return send(c.conn, e) }

// listen ends with the process, or the run.
func (c *RankClient) listen() {
	stop, leave := sync.OnceFunc(func() { close(c.stopped) }), sync.OnceFunc(func() { close(c.left) })
	defer leave()
	defer func() { _ = c.conn.Close() }()
	for l := newLines(c.conn); ; {
		var order rankOrder
		if l.read(&order) != nil {
			return
		}
		switch order.Do {
		case orderStop:
			stop()
		case orderLeave:
			leave()
		}
	}
}
