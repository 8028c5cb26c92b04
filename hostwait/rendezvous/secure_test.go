package rendezvous

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
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
	listener := &secureListener{tls: config, config: &Config{Printable: printable}}
	listener.refused = func(_ net.Conn, why string, lacks bool, _ *hello) {
		if strings.HasPrefix(why, lacksKey) != lacks {
			t.Errorf("%q: %v", why, lacks)
		}
		reported = append(reported, strings.TrimPrefix(why, lacksKey))
	}
	secure := newSecureConn(own, listener)
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
	if !slices.Equal(got, []string{"does not speak TLS"}) {
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
	if !slices.Equal(got, []string{"it has none"}) {
		t.Errorf("reported %q", got)
	}
}

// TestOnlyFinishedHandshakeShowsKey: a peer lacks the key only if it has shown so.
func TestOnlyFinishedHandshakeShowsKey(t *testing.T) {
	defer goleak.VerifyNone(t)
	other, err := Key{strings.Repeat("o", keySize)}.clientTLS("job")
	if err != nil {
		t.Fatal(err)
	}
	blind := other.Clone() // it does not look at the leader's key
	blind.VerifyConnection = nil
	bare := blind.Clone()
	bare.GetClientCertificate = nil
	old := bare.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for want, config := range map[string]*tls.Config{
		"it has another one": other, "it has another one!": blind, "it shows none": bare,
		"failed in the TLS handshake: tls: client offered only unsupported versions: [303]": old,
	} {
		got := handshake(t, func(_ *testing.T, peer, _ net.Conn) {
			c := tls.Client(peer, config)
			_ = c.Handshake()
			_, _ = c.Read(make([]byte, 1))
		})
		if !slices.Equal(got, []string{strings.TrimSuffix(want, "!")}) {
			t.Errorf("reported %q, want %q", got, want)
		}
	}
}
