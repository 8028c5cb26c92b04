package rendezvous

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// handshake lets a peer act on a new connection. It returns the failures that the leader's end of the
// connection reports during two reads.
func handshake(t *testing.T, act func(t *testing.T, peer, own net.Conn)) (reported []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	own, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	config, err := Key{strings.Repeat("k", keySize)}.serverTLS("job")
	if err != nil {
		t.Fatal(err)
	}
	secure := newSecureConn(own, config, func(_ net.Conn, err error) {
		reported = append(reported, err.Error())
	})
	read := make(chan error, 1)
	go func() {
		_, _ = secure.Read(make([]byte, 1))
		_, err := secure.Read(make([]byte, 1))
		read <- err
	}()
	act(t, peer, own)
	select {
	case err := <-read:
		if err == nil {
			t.Error("a request is read without a handshake")
		}
	case <-time.After(testTimeout):
		t.Fatal("the handshake does not end")
	}
	return reported
}

// TestPeerThatLeavesIsNotReported: a peer that goes away before it shows a key has not shown a wrong one.
func TestPeerThatLeavesIsNotReported(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, act := range map[string]func(t *testing.T, peer, own net.Conn){
		"it closes": func(_ *testing.T, peer, _ net.Conn) { peer.Close() },
		"it closes in a record": func(_ *testing.T, peer, _ net.Conn) {
			_, _ = peer.Write([]byte{22, 3, 1})
			peer.Close()
		},
		"the leader closes": func(_ *testing.T, _, own net.Conn) { own.Close() },
		"it says nothing":   func(_ *testing.T, _, own net.Conn) { _ = own.SetReadDeadline(time.Now()) },
		"it resets the connection": func(_ *testing.T, peer, _ net.Conn) {
			_ = peer.(*net.TCPConn).SetLinger(0)
			peer.Close()
		},
	} {
		if got := handshake(t, act); len(got) > 0 {
			t.Errorf("%s: reported %q", name, got)
		}
	}
}

// TestPeerWithoutKeyIsReportedOnce: a peer that does not speak TLS is reported once. Only a plain hello is
// answered.
func TestPeerWithoutKeyIsReportedOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	got := handshake(t, func(_ *testing.T, peer, _ net.Conn) { _, _ = peer.Write([]byte("SSH-2.0-x\r\n")) })
	if len(got) != 1 {
		t.Errorf("reported %q", got)
	}
	got = handshake(t, func(t *testing.T, peer, _ net.Conn) {
		t.Helper()
		body := strings.Repeat(" ", maxHello)
		const request = "POST %s HTTP/1.1\r\nHost: h0\r\nContent-Length: %d\r\n\r\n%s"
		_, _ = fmt.Fprintf(peer, request, syncPath, len(body), body)
		answer, err := http.ReadResponse(bufio.NewReader(peer), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, err = readView(answer, &Config{Hosts: []string{"h0"}, Printable: printable})
		if err == nil || err.Error() != "h0 refuses: it has a cluster key, and this host has none" {
			t.Errorf("answered with %v", err)
		}
		peer.Close()
	})
	if len(got) != 1 {
		t.Errorf("reported %q", got)
	}
}
