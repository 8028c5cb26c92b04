package rendezvous

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
)

// secureListener accepts TLS connections. It makes the handshakes itself, because net/http reports a failed
// handshake only as a sentence in its log.
type secureListener struct {
	net.Listener
	tls     *tls.Config
	config  *Config
	refused refusedPeer
}

// refusedPeer is called once for each connection whose peer has shown why it cannot join. lacksKey says that
// the peer has shown that it does not have this cluster's key. h is the hello of a peer that said one without
// TLS, or nil.
type refusedPeer func(conn net.Conn, why string, lacksKey bool, h *hello)

func (l *secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newSecureConn(conn, l), nil
}

// secureConn is the leader's end of a TLS connection. It makes the handshake in its first Read, which the
// deadline of the first request bounds. It hides the *tls.Conn from net/http, which would make the
// handshake otherwise.
type secureConn struct {
	*tls.Conn
	handshake func() error
}

func newSecureConn(conn net.Conn, l *secureListener) *secureConn {
	first := &firstBytes{Conn: conn}
	c := &secureConn{Conn: tls.Server(first, l.tls)}
	c.handshake = sync.OnceValue(func() error {
		err := c.HandshakeContext(context.Background()) // the deadline of the Read bounds it
		first.isUnkept = true
		if err != nil {
			l.tellRefused(first, err)
		}
		first.kept = nil
		return err
	})
	return c
}

func (c *secureConn) Read(p []byte) (int, error) {
	if err := c.handshake(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// NetConn returns the connection below TLS.
func (c *secureConn) NetConn() net.Conn { return c.Conn.NetConn().(*firstBytes).Conn }

// tellRefused tells why a handshake failed, if that says anything about the peer. A peer that went away or
// was too slow, or whose connection the leader closed, has shown neither this cluster's key nor another one.
func (l *secureListener) tellRefused(conn *firstBytes, err error) {
	record, isNoTLS := errors.AsType[tls.RecordHeaderError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	isAlert := isOp && op.Op == "remote error"
	switch {
	case isNoTLS && string(record.RecordHeader[:]) == "POST ":
		l.refused(conn.Conn, lacksKey+"it has none", true, conn.readHello(l.config))
		answerPlain(conn, view{Refused: hasKey})
	case isNoTLS:
		l.refused(conn.Conn, "does not speak TLS", false, nil)
	case errors.Is(err, errOtherKey), isAlert && op.Err.Error() == alertBadCertificate:
		l.refused(conn.Conn, lacksKey+"it has another one", true, nil)
	case err.Error() == noCertificate:
		l.refused(conn.Conn, lacksKey+"it shows none", true, nil)
	case hasLeft(err), isOp && !isAlert:
	default:
		l.refused(conn.Conn, "failed in the TLS handshake: "+l.config.oneLine(err.Error()), false, nil)
	}
}

const lacksKey = "came without this cluster's key: "

// Errors of crypto/tls that have no type. The first is what a peer says that refuses the key of this end.
const (
	alertBadCertificate = "tls: bad certificate"
	noCertificate       = "tls: client didn't provide a certificate"
)

// hasLeft reports whether a handshake failed only because the peer went away or said nothing, or because the
// leader closed the connection.
func hasLeft(err error) bool {
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// firstBytes is a connection that keeps what its peer said first, until the handshake is over.
type firstBytes struct {
	net.Conn
	kept     []byte
	isUnkept bool
}

func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if !f.isUnkept {
		f.kept = append(f.kept, p[:n]...)
	}
	return n, err
}

// readHello reads a hello that a peer says without TLS. It is nil if the peer says something else.
func (f *firstBytes) readHello(c *Config) *hello {
	from := io.LimitReader(io.MultiReader(bytes.NewReader(f.kept), f.Conn), maxHeader+maxHello)
	request, err := http.ReadRequest(bufio.NewReader(from))
	if err != nil || request.URL.Path != syncPath {
		return nil
	}
	h, err := readHello(io.LimitReader(request.Body, maxHello), c)
	if err != nil {
		return nil
	}
	return h
}

// Refusals between a host with a cluster key and one without.
const (
	hasKey   = "it has a cluster key, and this host has none"
	hasNoKey = "it has no cluster key, and this host has one"
)

// answerPlain answers a peer without TLS, and closes the connection on its part.
func answerPlain(conn net.Conn, v view) {
	body, _ := json.Marshal(v)                                         // never fails for strings and numbers
	_, _ = conn.Write(encodeAnswer(http.StatusBadRequest, body, true)) // else the host says hello again
}

// plainError says that the leader has answered without TLS, so it has no cluster key.
type plainError struct{ first *failure } // why the leader has failed; nil if it did not say so

func (e *plainError) Error() string { return hasNoKey }

// readPlain returns the error of a handshake that a leader without a cluster key has answered. It returns the
// error as it is if that is not so.
func (f *firstBytes) readPlain(err error, c *Config) error {
	record, isNoTLS := errors.AsType[tls.RecordHeaderError](err)
	if !isNoTLS || string(record.RecordHeader[:]) != "HTTP/" {
		return err
	}
	from := io.LimitReader(io.MultiReader(bytes.NewReader(f.kept), f.Conn), maxHeader+maxHello)
	plain := &plainError{}
	answer, err := http.ReadResponse(bufio.NewReader(from), nil)
	if err != nil {
		return plain
	}
	defer answer.Body.Close()
	if v, _ := readView(answer, c); v.First != nil && v.First.Host == c.leaderHost() {
		plain.first = v.First
	}
	return plain
}
