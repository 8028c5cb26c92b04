package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// TestReplayedSessionIsRefused: the recorded bytes of a real session start nothing. The server adds new
// random bytes to the keys of every session.
func TestReplayedSessionIsRefused(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	recorder := newRecorder(t, fmt.Sprintf("127.2.0.1:%d", n.port))
	port := n.port
	n.port = recorder.port
	p := n.pool(t, 0)
	marker := t.TempDir() + "/marker"
	s := newStreams(t)
	if _, err := p.Exec(t.Context(), "h1", []string{"echo x >>" + marker}, s.files); err != nil {
		t.Fatal(err)
	}
	p.Close()
	n.port = port
	for _, inOneGo := range []bool{true, false} {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: address(0).AsSlice()}}
		conn, err := dialer.Dial("tcp", fmt.Sprintf("127.2.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		if inOneGo {
			_, _ = conn.Write(bytes.Join(recorder.sent(), nil))
		} else {
			for _, part := range recorder.sent() {
				_, _ = conn.Write(part)
				_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				_, _ = conn.Read(make([]byte, 1<<16))
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(testTimeout))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the replay is not refused")
		}
		conn.Close()
	}
	s = newStreams(t)
	check := []string{"test x = $(cat " + marker + ")"}
	if code, err := n.pool(t, 0).Exec(t.Context(), "h1", check, s.files); code != 0 || err != nil {
		t.Errorf("the command ran again: code %d, error %v", code, err)
	}
}

// recorder relays connections, and records what the clients send.
type recorder struct {
	port int
	mu   sync.Mutex
	data [][]byte
}

func (r *recorder) sent() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.data
}

func newRecorder(t *testing.T, to string) *recorder {
	t.Helper()
	r := &recorder{}
	there := func(from, to net.Conn) {
		defer to.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.data = append(r.data, bytes.Clone(b[:n]))
			r.mu.Unlock()
			_, _ = to.Write(b[:n])
		}
	}
	back := func(from, to net.Conn) {
		defer to.Close()
		_, _ = io.Copy(to, from)
	}
	r.port = relay(t, to, there, back)
	return r
}
