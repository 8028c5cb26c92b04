package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestLimitOfOpenFiles: the leader warns if it may have fewer open files than its hosts need.
func TestLimitOfOpenFiles(t *testing.T) {
	n := newNetwork(t, 101)
	for _, c := range []struct {
		host, limit int
		launches    bool
		want        string
	}{
		{0, 164, false, ""},
		{0, 163, false, "this host may have 163 open files, and as the leader of 101 hosts it needs 164"},
		{0, 664, true, ""},
		{0, 663, true, "this host may have 663 open files, and as the leader of 101 hosts it needs 664"},
		{1, 64, true, ""},
		{0, 0, false, ""}, // it is unknown
	} {
		n.warns = nil
		config := n.config(c.host)
		config.Launches = c.launches
		config.warnOfLimit(c.limit)
		got := strings.Join(n.warns, "\n")
		if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if FilesLimit() < 1 {
		t.Errorf("the limit is %d", FilesLimit())
	}
}

// failingListener is a listener whose Accept fails once for lack of open files.
type failingListener struct {
	net.Listener
	failures int
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestAcceptThatFailsIsTold: the reason stands in one warning, and in the reason why a host is missing.
func TestAcceptThatFailsIsTold(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	s := n.open(0)
	k := s.link.(*leader).roster
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := acceptsListener{&failingListener{inner, 2}, k.noteAcceptTrouble}
	for range 2 {
		if _, err := l.Accept(); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("accepted: %v", err)
		}
	}
	inner.Close()
	_, _ = l.Accept() // a closed listener is no trouble
	few := fmt.Sprintf("accept: too many open files (it may have %d, and needs 65)", FilesLimit())
	warning := "cannot accept connections of the other hosts: " + few
	if len(n.warns) != 1 || !n.warned(warning) {
		t.Errorf("warnings: %q", n.warns)
	}
	want := "has not joined: h0 cannot accept its connection: " + few
	if m, _ := s.Missing(); len(m) < 2 || m[1].Err.Error() != want {
		t.Errorf("missing: %v", m)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	s.End(End{Code: 1, At: time.Now()})
	_ = s.Leave(ctx, 0)
}
