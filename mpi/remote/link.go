package remote

import (
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// link is a connection that breaks when nothing is heard of the peer for a while, or it takes nothing. The kernel alone
// would notice a cut cable after a quarter of an hour.
type link struct {
	net.Conn
	silence time.Duration
}

func (l *link) Read(b []byte) (int, error) {
	if err := l.SetReadDeadline(time.Now().Add(l.silence)); err != nil {
		return 0, err
	}
	return l.Conn.Read(b)
}

func (l *link) Write(b []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(l.silence)); err != nil {
		return 0, err
	}
	return l.Conn.Write(b)
}

// keepalive makes the peer say something every now and then, until gone, and is something that the peer hears: one side
// of a connection is enough. OpenSSH uses the same request; any answer does.
func keepalive(conn ssh.Conn, every time.Duration, gone <-chan struct{}) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-gone:
			return
		case <-ticker.C:
			if _, _, err := conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	}
}
