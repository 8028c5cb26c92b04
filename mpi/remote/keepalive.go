package remote

import (
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// deadlineConn is a connection that breaks when nothing is heard of the peer for the time of silence, or when
// the peer takes nothing for as long. The kernel alone notices a cut cable only after a quarter of an hour.
type deadlineConn struct {
	net.Conn
	silence time.Duration
	start   time.Time
	heard   atomic.Int64 // when the peer was heard last: nanoseconds after start
}

func newDeadlineConn(conn net.Conn, silence time.Duration) *deadlineConn {
	return &deadlineConn{Conn: conn, silence: silence, start: time.Now()}
}

// lastHeard is when the peer was heard last.
func (l *deadlineConn) lastHeard() time.Time { return l.start.Add(time.Duration(l.heard.Load())) }

func (l *deadlineConn) Read(b []byte) (int, error) {
	if err := l.SetReadDeadline(time.Now().Add(l.silence)); err != nil {
		return 0, err
	}
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.heard.Store(int64(time.Since(l.start)))
	}
	return n, err
}

func (l *deadlineConn) Write(b []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(l.silence)); err != nil {
		return 0, err
	}
	return l.Conn.Write(b)
}

// keepalive sends a request to the peer at each interval, until stop is closed or the connection ends. The
// peer hears the request, and this host hears the answer: so one side of a connection is enough. OpenSSH uses
// the same request. Any answer will do.
func keepalive(conn ssh.Conn, interval time.Duration, stop <-chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			if _, _, err := conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	}
}
