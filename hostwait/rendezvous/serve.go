package rendezvous

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// service accepts the connections of the other hosts, reads their requests, and holds the answers back. It
// is no http.Server: that keeps 10 KB of buffers for each connection, and reads no request before it has
// answered the one before. Here a connection at rest has no buffer, and one goroutine: it waits for the first
// byte of the next request.
type service struct {
	serve   func(c *connection, r *http.Request) *heldAnswer
	work    sync.WaitGroup
	readers sync.Pool     // of *bufio.Reader
	closed  chan struct{} // closed by close
	busy    chan struct{} // an element for each answer that announce is writing
	serving atomic.Int64  // requests that have no answer yet, not even one that is held back

	mu       sync.Mutex
	open     map[*connection]bool
	isClosed bool          // closed is closed
	held     []*heldAnswer // in the order of their requests
}

// connection is a connection of another host, or of a stranger.
type connection struct {
	net.Conn
	guarded *guarded
	first   [1]byte // room for the first byte of a request
	begun   []byte  // the beginning of the next request, which came with the one before
}

// from is the address of the other end.
func (c *connection) from() netip.Addr { return addrOf(c.guarded.RemoteAddr()) }

func newService(serve func(c *connection, r *http.Request) *heldAnswer) *service {
	return &service{
		serve: serve, open: map[*connection]bool{}, closed: make(chan struct{}), busy: make(chan struct{}, maxBusy),
	}
}

// accept serves the connections of a listener until close.
func (s *service) accept(listener net.Listener, idle time.Duration) {
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			c := &connection{Conn: conn, guarded: guardedOf(conn)}
			if s.add(c) {
				s.work.Go(func() { s.serveRequests(c, idle) })
			}
		case s.isOver() || errors.Is(err, net.ErrClosed):
			return
		default: // such as too many open files, which may pass
			s.pause()
		}
	}
}

func (s *service) pause() {
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closed:
	}
}

func (s *service) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isClosed
}

// add notes a connection, for close. It returns false after close, and closes the connection.
func (s *service) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		_ = c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *service) remove(c *connection) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	_ = c.Close()
}

// serveRequests serves one request after the other, until the connection ends or serve returns nil.
func (s *service) serveRequests(c *connection, idle time.Duration) {
	defer s.remove(c)
	var last *heldAnswer
	for bound := requestReadTime; ; bound = idle {
		_ = c.SetReadDeadline(time.Now().Add(bound))
		err := c.await()
		if err != nil {
			s.giveUp(last)
			return
		}
		s.answer(last, true) // a further request: its answer must not wait for this one
		_ = c.SetReadDeadline(time.Now().Add(requestReadTime))
		if last = s.serveOne(c); last == nil {
			c.linger()
			return
		}
	}
}

// await waits for the first byte of the next request.
func (c *connection) await() error {
	if len(c.begun) > 0 {
		return nil
	}
	n, err := c.Read(c.first[:])
	if c.begun = c.first[:n]; n > 0 {
		return nil
	}
	return err
}

// serveOne reads a request and serves it. It returns nil where the connection is to be closed.
func (s *service) serveOne(c *connection) *heldAnswer {
	reader, ok := s.readers.Get().(*bufio.Reader)
	if !ok {
		reader = bufio.NewReader(nil)
	}
	most := int64(len(c.begun) + maxHeader + maxHello)
	reader.Reset(io.LimitReader(io.MultiReader(bytes.NewReader(c.begun), c.Conn), most))
	r, err := http.ReadRequest(reader)
	if err != nil {
		r = &http.Request{Body: http.NoBody} // no path is empty, so it is refused
	}
	s.serving.Add(1)
	answer := s.serve(c, r)
	s.serving.Add(-1)
	rest, _ := reader.Peek(reader.Buffered())
	c.begun = bytes.Clone(rest)
	reader.Reset(nil)
	s.readers.Put(reader)
	return answer
}

// linger reads what the other end still sends until it closes the connection, for a short time. A close with
// something unread would take the last answer with it.
func (c *connection) linger() {
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.Conn, maxHello)
}

// respond writes an answer of JSON in one piece.
func (c *connection) respond(status int, body []byte, isLast bool) {
	_ = c.SetWriteDeadline(time.Now().Add(answerWriteTime))
	if _, err := c.Write(encodeAnswer(status, body, isLast)); err != nil {
		_ = c.Close() // a host that does not get the answer says hello again, or is lost
	}
}

// encodeAnswer is an answer of JSON. isLast says that the connection is closed after it.
func encodeAnswer(status int, body []byte, isLast bool) []byte {
	head := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n",
		status, http.StatusText(status), len(body))
	if isLast {
		head = append(head, "Connection: close\r\n"...)
	}
	return append(append(head, "\r\n"...), body...)
}

// awaitAnswers waits until no answer is held back or being written, for shutdownTime.
func (s *service) awaitAnswers() {
	ticker := time.NewTicker(departurePause / 4)
	defer ticker.Stop()
	for end := time.Now().Add(shutdownTime); s.isAnswering() && time.Now().Before(end); {
		<-ticker.C
	}
}

// close closes all connections. The listener must be closed before.
func (s *service) close() {
	s.mu.Lock()
	if !s.isClosed {
		s.isClosed = true
		close(s.closed)
	}
	open, held := slices.Collect(maps.Keys(s.open)), slices.Clone(s.held)
	s.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
	for _, h := range held {
		s.giveUp(h)
	}
	s.work.Wait()
}

func (s *service) isAnswering() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held) > 0 || s.serving.Load() > 0
}
