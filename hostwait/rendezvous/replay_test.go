package rendezvous

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// recorder keeps what a host sends.
type recorder struct {
	net.Conn
	mu   *sync.Mutex
	sent *[][]byte
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	*r.sent = append(*r.sent, bytes.Clone(b))
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// TestReplayedHellosChangeNothing: with a cluster key, the recorded bytes of a host that has failed do not
// fail a later run of the same job, from the same address.
func TestReplayedHellosChangeNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	var mu sync.Mutex
	var sent [][]byte
	n := newNetwork(t, 2)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: address(1).AsSlice()}}
	n.change = func(c *Config) {
		c.Key = Key{strings.Repeat("k", keySize)}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			return recorder{conn, &mu, &sent}, err
		}
	}
	leave(t, n.gather(), End{}, End{Code: 9, Text: "recorded", At: time.Now()})
	n.change = func(c *Config) { c.Key = Key{strings.Repeat("k", keySize)} }
	all := n.gather()
	for _, inOneGo := range []bool{true, false} {
		conn, err := dialer.Dial("tcp", net.JoinHostPort(address(0).String(), strconv.Itoa(n.port)))
		if err != nil {
			t.Fatal(err)
		}
		parts := sent
		if len(parts) == 0 {
			t.Fatal("nothing was recorded")
		}
		if inOneGo {
			parts = [][]byte{bytes.Join(sent, nil)}
		}
		for _, part := range parts {
			_, _ = conn.Write(part)
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, _ = conn.Read(make([]byte, 1<<16))
		}
		_ = conn.SetReadDeadline(time.Now().Add(testTimeout))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the replay is not refused")
		}
		_ = conn.Close()
	}
	for i, err := range leave(t, all, End{}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
}
