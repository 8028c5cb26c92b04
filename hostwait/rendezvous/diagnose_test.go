package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestDiagnosisKnowsWhetherTheLeaderAnswered: about a leader that has answered before, the diagnosis does
// not guess that it has not started, or that a security group separates this host from it.
func TestDiagnosisKnowsWhetherTheLeaderAnswered(t *testing.T) {
	const closed = "closed the connection"
	for _, c := range []struct {
		text string
		err  error
	}{
		{"refuses connections: entrain has ended there", syscall.ECONNREFUSED},
		{"cannot be reached any more: the host is gone, or the network between", syscall.EHOSTUNREACH},
		{"does not answer any more: the host is gone, or the network between", os.ErrDeadlineExceeded},
		{closed, syscall.ECONNRESET},
		{closed, io.EOF},
		{closed, fmt.Errorf("read: %w", io.ErrUnexpectedEOF)},
	} {
		text := c.text
		err := error(&url.Error{Op: "Post", URL: "http://h0", Err: &net.OpError{Op: "dial", Err: c.err}})
		if got := Diagnose(err, "10.0.0.1:7790", true); got != "10.0.0.1:7790 "+text {
			t.Errorf("answered before: %q, expected %q", got, text)
		}
		if got := Diagnose(err, "10.0.0.1:7790", false); got == "10.0.0.1:7790 "+text && text != closed {
			t.Errorf("never answered: %q", got)
		}
		const begin = "lost: the leader has not answered for 30s (it was there until then): 10.0.0.1:7790 "
		if got := lossText(err, "10.0.0.1:7790", 30*time.Second); got != begin+text {
			t.Errorf("%q, expected %q", got, begin+text)
		}
	}
}

// TestDiagnosisComparesNoSentence: the type of an error counts, and not its text.
func TestDiagnosisComparesNoSentence(t *testing.T) {
	for _, text := range []string{"line 3 ends with EOF", "server gave HTTP response to HTTPS client"} {
		err := errors.New(text)
		if got := Diagnose(err, "10.0.0.1:7790", false); got != text {
			t.Errorf("%q", got)
		}
		if got := lastingReason(err); got != "" {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

// TestLeaderThatDisappearsIsLost: a released worker whose leader disappears ends with a loss, and with the
// diagnosis of that.
func TestLeaderThatDisappearsIsLost(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	all := n.gather()
	all[0].link.close()
	select {
	case <-all[1].Context().Done():
	case <-time.After(testTimeout):
		t.Error("the worker does not notice the loss")
	}
	cause := context.Cause(all[1].Context())
	e, ok := errors.AsType[*PeerError](cause)
	want := fmt.Sprintf("(it was there until then): "+
		"127.0.0.1:%d refuses connections: entrain has ended there", n.port)
	if !ok || e.Host != "h0" || e.Code != CodeLost ||
		!strings.HasPrefix(e.Text, "lost: ") || !strings.HasSuffix(e.Text, want) {
		t.Errorf("%v, expected lost: … %s", cause, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the leader does not answer a last hello
	for _, s := range all {
		_ = s.Leave(ctx, 0)
	}
}

// TestMissingNamesTheLeaderAndWhy: while the leader cannot be reached, it is the missing host, with the
// diagnosis.
func TestMissingNamesTheLeaderAndWhy(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	nowhere := func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	unused := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil // no host has this address (RFC 5737)
	}
	for what, c := range map[string]struct {
		lookup hostwait.Lookup
		want   string
	}{
		"closed": {lookup, "127.0.0.1:PORT refuses connections: entrain has not started there, or has ended, " +
			"or another image runs there"},
		"no name": {nowhere, "its name does not resolve: no such host"},
		"no answer": {unused, "192.0.2.7:PORT does not answer: the port is filtered, " +
			"as by a security group without a rule that admits its own members, or the host is gone"},
	} {
		n.change = func(config *Config) {
			config.Lookup, config.localAddr, config.PeerTimeout = c.lookup, nil, time.Second
		}
		s := n.open(1)
		deadline := time.Now().Add(testTimeout)
		for countMissing(s) == 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		want := strings.ReplaceAll(c.want, "PORT", fmt.Sprint(n.port))
		if m, _ := s.Missing(); len(m) != 1 || m[0].Host != "h0" || m[0].Err.Error() != want {
			t.Errorf("%s: %v, want %s", what, m, want)
		}
		_ = s.Leave(t.Context(), 0)
	}
}
