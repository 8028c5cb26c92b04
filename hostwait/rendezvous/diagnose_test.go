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

	"go.uber.org/goleak"
)

// TestDiagnose: of a leader that has answered before nobody guesses that it has not started, or that a security group
// keeps this host from it.
func TestDiagnose(t *testing.T) {
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
		if got := diagnose(err, "10.0.0.1:7790", true); got != "10.0.0.1:7790 "+text {
			t.Errorf("answered before: %q, expected %q", got, text)
		}
		if got := diagnose(err, "10.0.0.1:7790", false); got == "10.0.0.1:7790 "+text && text != closed {
			t.Errorf("never answered: %q", got)
		}
		const begin = "lost: the leader has not answered for 30s (it was there until then): 10.0.0.1:7790 "
		if got := lost(err, "10.0.0.1:7790", 30*time.Second); got != begin+text {
			t.Errorf("%q, expected %q", got, begin+text)
		}
	}
}

// TestDiagnoseComparesNoSentence: an error is known by its type, and not by what its text says.
func TestDiagnoseComparesNoSentence(t *testing.T) {
	for _, text := range []string{"line 3 ends with EOF", "server gave HTTP response to HTTPS client"} {
		err := errors.New(text)
		if got := diagnose(err, "10.0.0.1:7790", false); got != text {
			t.Errorf("%q", got)
		}
		if got := noHope(err); got != "" {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

// TestLostLeader: a leader that goes without a word is lost, and nothing else is guessed.
func TestLostLeader(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	all := n.gather()
	all[0].line.close()
	select {
	case <-all[1].Context().Done():
	case <-time.After(patience):
		t.Error("the loss is not noticed")
	}
	cause := context.Cause(all[1].Context())
	e, ok := errors.AsType[*PeerError](cause)
	want := fmt.Sprintf("(it was there until then): 127.0.0.1:%d refuses connections: entrain has ended there", n.port)
	if !ok || e.Host != "h0" || e.Code != CodeLost || !strings.HasPrefix(e.Text, "lost: ") || !strings.HasSuffix(e.Text, want) {
		t.Errorf("%v, expected lost: … %s", cause, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody can say goodbye to this leader
	for _, s := range all {
		_ = s.Leave(ctx, 0)
	}
}

// TestListenAnywhere: a host whose interface is not known listens at all addresses that the machine has, with IPv6 or
// without. So it must not ask for one of either kind.
func TestListenAnywhere(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		c.Interface = "eth77"
		c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	}
	c := n.config(0)
	l, err := c.listener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", n.port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if at := findHome(t.Context(), &c).listenAt(); at.IsValid() {
		t.Errorf("it asks for %s, which a machine may not have", at)
	}
}
