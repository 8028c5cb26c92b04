package rendezvous

import (
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
	config *tls.Config
	failed func(net.Conn, error) // called once for each connection whose peer does not show this cluster's key
}

func (l *secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newSecureConn(conn, l.config, l.failed), nil
}

// secureConn is the leader's end of a TLS connection. It makes the handshake in its first Read, which the
// deadline of the first request bounds. It hides the *tls.Conn from net/http, which would make the
// handshake otherwise.
type secureConn struct {
	*tls.Conn
	handshake func() error
}

func newSecureConn(conn net.Conn, config *tls.Config, failed func(net.Conn, error)) *secureConn {
	c := &secureConn{Conn: tls.Server(conn, config)}
	c.handshake = sync.OnceValue(func() error {
		err := c.HandshakeContext(context.Background()) // the deadline of the Read bounds it
		if err == nil || hasLeft(err) {
			return err
		}
		failed(conn, err)
		if plain, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(plain.RecordHeader[:]) == "POST " {
			refusePlain(conn)
		}
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

// hasLeft reports whether a handshake failed only because the peer went away or said nothing, or because
// the leader closed the connection. Such a peer has shown neither this cluster's key nor another one.
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

// refusePlain answers a host that says hello without TLS, since it has no cluster key.
func refusePlain(conn net.Conn) {
	// Marshal never fails for a string.
	body, _ := json.Marshal(view{Refused: "it has a cluster key, and this host has none"})
	answer := http.Response{
		StatusCode: http.StatusBadRequest, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	_ = answer.Write(conn) // a host that does not get the answer says hello again
}
