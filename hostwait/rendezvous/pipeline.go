package rendezvous

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// pipeline sends the requests of a worker over one standing connection. A request whose context ends leaves
// the connection as it is: the next request goes over it at once, behind the first one, and the leader
// answers both (RFC 9112, 9.3.2). net/http's own transport would close the connection, and the last word of
// a host would need a new one.
//
// RoundTrip is called by one goroutine at a time.
type pipeline struct {
	dial      func(ctx context.Context) (net.Conn, error)
	config    *Config
	tls       *tls.Config // nil without a cluster key
	handshake time.Duration
	maxBody   int64                     // bytes of an answer
	patience  time.Duration             // for the answer to the next request
	heard     func()                    // called for each answer
	fill      func(*http.Request) error // writes the body of a request that is sent now
	sent      time.Time                 // when the first request was written since sent was zero

	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	dialing chan dialled // gives the connection that is being made; nil while none is
	current *standing    // nil while there is none
	readers sync.WaitGroup
}

// dialled is the result of an attempt to connect.
type dialled struct {
	conn net.Conn
	err  error
}

// standing is a connection to the leader.
type standing struct {
	net.Conn
	answers    chan answered // gives the answers in the order of the requests
	unanswered int           // the requests whose answers were not taken from answers
}

// answered is an answer that was read whole, or the reason why there is none.
type answered struct {
	response *http.Response
	err      error
}

// maxUnanswered bounds the requests that wait for their answers on one connection. A host has few things to
// say at once.
const maxUnanswered = 16

func newPipeline(c *Config) *pipeline {
	p := &pipeline{config: c}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// close closes the connection, and waits for what reads from it.
func (p *pipeline) close() {
	p.cancel()
	if p.dialing != nil {
		if d := <-p.dialing; d.err == nil {
			_ = d.conn.Close()
		}
	}
	p.drop()
	p.readers.Wait()
}

// drop closes the connection. The next request makes a new one.
func (p *pipeline) drop() {
	if p.current != nil {
		_ = p.current.Close()
		p.current = nil
	}
}

// RoundTrip sends a request, and waits up to patience for its answer. If the context of the request ends
// before, the connection stays.
func (p *pipeline) RoundTrip(r *http.Request) (*http.Response, error) {
	if c := p.current; c != nil && (c.unanswered >= maxUnanswered || c.unanswered == 0 && len(c.answers) > 0) {
		p.drop() // the leader has closed it, or answers nothing
	}
	if err := p.connect(r.Context()); err != nil {
		return nil, err
	}
	if err := p.fill(r); err != nil {
		return nil, err
	}
	if err := p.current.send(r, p.patience); err != nil {
		p.drop()
		return nil, err
	}
	if p.sent.IsZero() {
		p.sent = time.Now()
	}
	response, err := p.current.await(r.Context(), p.patience, p.heard)
	// Only an error that is the end of the context leaves the connection as it is.
	if err != nil && !errors.Is(err, context.Canceled) || err == nil && response.Close {
		p.drop()
	}
	return response, err
}

// connect makes the connection, if there is none. An attempt goes on when ctx ends, for the next request.
func (p *pipeline) connect(ctx context.Context) error {
	if p.current != nil {
		return nil
	}
	if p.dialing == nil {
		result := make(chan dialled, 1)
		p.dialing = result
		go p.open(context.WithoutCancel(ctx), result)
	}
	select {
	case d := <-p.dialing:
		p.dialing = nil
		if d.err != nil {
			return d.err
		}
		answers := make(chan answered, maxUnanswered+1)
		p.current = &standing{Conn: d.conn, answers: answers}
		p.readers.Go(func() { readAnswers(d.conn, answers, p.maxBody) })
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// open connects to the leader, with TLS where there is a cluster key. It ends with close.
func (p *pipeline) open(ctx context.Context, result chan<- dialled) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)() //nolint:contextcheck // close ends the attempt, no request does
	conn, err := p.dial(ctx)
	if err == nil && p.tls != nil {
		conn, err = p.secure(ctx, conn)
	}
	result <- dialled{conn, err}
}

// secure makes the TLS handshake.
func (p *pipeline) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.handshake)
	defer cancel()
	first := &firstBytes{Conn: conn}
	secure := tls.Client(first, p.tls)
	err := secure.HandshakeContext(ctx)
	if err != nil {
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		err = first.readPlain(err, p.config)
		stop()
		_ = conn.Close()
		return nil, err
	}
	first.isUnkept, first.kept = true, nil
	return secure, nil
}

// send writes a request. It takes no longer than patience.
func (s *standing) send(r *http.Request, patience time.Duration) error {
	var whole bytes.Buffer // so that the request goes in one segment
	if err := r.Write(&whole); err != nil {
		return err
	}
	if err := s.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := s.Write(whole.Bytes()); err != nil {
		return err
	}
	s.unanswered++
	return nil
}

// await waits for the answer to the last request. The answers to the requests before it hold nothing that
// this one does not. Each of them shows that the leader lives.
func (s *standing) await(ctx context.Context, patience time.Duration, heard func()) (*http.Response, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case a := <-s.answers:
			if s.unanswered--; a.err != nil {
				return nil, a.err
			}
			if heard(); s.unanswered == 0 || a.response.Close {
				return a.response, nil
			}
			late.Reset(patience)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late.C:
			return nil, os.ErrDeadlineExceeded
		}
	}
}

// readAnswers reads the answers of a connection, one after the other, until one is missing or is the last.
func readAnswers(conn net.Conn, answers chan<- answered, maxBody int64) {
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(io.LimitReader(response.Body, maxBody))
			response.Body = io.NopCloser(bytes.NewReader(body))
		}
		select {
		case answers <- answered{response, err}:
		default: // more answers than requests: this is no leader
			_ = conn.Close()
			return
		}
		if err != nil || response.Close {
			return
		}
	}
}
