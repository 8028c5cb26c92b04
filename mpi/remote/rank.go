package remote

import (
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// RankConn is the run's side of the connection to an `entrain rank`, which runs a trainer on this host.
type RankConn struct {
	Rank, Pid int
	conn      net.Conn
	done      chan struct{}

	mu    sync.Mutex
	end   RankEnd
	ended bool   // the rank has reported end
	rest  []byte // what the wrapper has not read of its trainer's stderr
}

// Stop tells the rank to send SIGTERM to its trainer.
func (r *RankConn) Stop() { _ = send(r.conn, rankOrder{orderStop}) }

// Leave tells the rank that it may end once its trainer has ended.
func (r *RankConn) Leave() { _ = send(r.conn, rankOrder{orderLeave}) }

// Done is closed when the trainer has ended, or the rank is gone.
func (r *RankConn) Done() <-chan struct{} { return r.done }

// End says how the trainer ended. It returns false where the trainer still runs, or the rank is gone without
// a report.
func (r *RankConn) End() (RankEnd, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end, r.ended
}

// Rest is what the trainer had written to its stderr, and what a wrapper that was killed has not passed on.
// Call it after Done.
func (r *RankConn) Rest() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rest
}

// serveRank registers a rank, and stays with it until it is gone.
func (s *Local) serveRank(conn *net.UnixConn, l lineReader, pid int) {
	call, err := readRank(l)
	if err != nil || conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	r := &RankConn{Rank: call.Rank, Pid: pid, conn: conn, done: make(chan struct{})}
	s.handlers.Joined(r)
	end, rest, err := attend(l, pid, func(text string) {
		if s.handlers.Raised != nil {
			s.handlers.Raised(r, text)
		}
	})
	r.mu.Lock()
	r.end, r.ended, r.rest = end, err == nil, rest
	r.mu.Unlock()
	close(r.done)
	if err == nil {
		_ = l.read(nil) // a rank sends nothing more: the read returns when it is gone, or at Close
	}
}

// attend reads what a rank's wrapper says until the end of its trainer. Where the wrapper was killed, rest is
// what the trainer has said about its end, and what the wrapper has not read. It calls raised for an
// exception of a trainer that does not end.
func attend(l lineReader, pid int, raised func(text string)) (end RankEnd, rest []byte, err error) {
	var pipe *os.File
	defer func() { _ = pipe.Close() }() // nil gives an error too
	for {
		end, err = readEnd(l)
		switch {
		case err != nil:
			return end, append(rest, readRest(pipe)...), err
		case end.Pipe > 0 && pipe == nil:
			pipe = openPipe(pid, end.Pipe)
		case end.Said != "":
			rest = append(rest, end.Said...)
		case end.Raised != "":
			raised(strings.ToValidUTF8(end.Raised[:min(len(end.Raised), maxText)], ""))
		default:
			return end, nil, nil
		}
	}
}

// RankClient is the side of `entrain rank` of the connection to the run.
type RankClient struct {
	conn          net.Conn
	stopped, left chan struct{}
}

// Register tells the run on this host that a rank has begun. socket is the path of the run's socket.
func Register(socket string, rank int) (*RankClient, error) {
	conn, err := dialRun(socket, kindRank, nil)
	if err != nil {
		return nil, err
	}
	if err := send(conn, rankCall{Rank: rank}); err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &RankClient{conn: conn, stopped: make(chan struct{}), left: make(chan struct{})}
	go c.readOrders()
	return c, nil
}

// Stopped is closed when the rank must send SIGTERM to its trainer.
func (c *RankClient) Stopped() <-chan struct{} { return c.stopped }

// Left is closed when the rank may end, or the run is gone. It may be closed while the trainer still runs:
// then the rank ends after the trainer, and calls Ended before.
func (c *RankClient) Left() <-chan struct{} { return c.left }

// Reads tells the run from which descriptor this process reads its trainer's stderr. Where this process is
// killed, the run reads what is left.
func (c *RankClient) Reads(pipe int) error { return send(c.conn, RankEnd{Pipe: pipe}) }

// Said tells the run what the trainer has said about its end, before a launcher that kills this process can
// lose it.
func (c *RankClient) Said(text string) error { return send(c.conn, RankEnd{Said: text}) }

// Raised tells the run of an exception of a trainer that does not end. Do not call it after Ended.
func (c *RankClient) Raised(text string) error { return send(c.conn, RankEnd{Raised: text}) }

// Ended reports to the run how the trainer ended.
func (c *RankClient) Ended(e RankEnd) error { return send(c.conn, e) }

// readOrders reads the run's orders. It ends with the run, or with this process.
func (c *RankClient) readOrders() {
	stop := sync.OnceFunc(func() { close(c.stopped) })
	leave := sync.OnceFunc(func() { close(c.left) })
	defer leave()
	defer func() { _ = c.conn.Close() }()
	for l := newLineReader(c.conn); ; {
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
