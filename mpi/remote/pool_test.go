package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func TestExec(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	p := n.pool(t, 0)
	for what, c := range map[string]struct {
		words    []string
		in       string
		code     int
		out, err string
	}{
		"output":              {words: []string{"echo", "out;", "echo", "err >&2"}, out: "out\n", err: "err\n"},
		"words as ssh joins":  {words: []string{`"printf"`, `'%s,'`, `"a b"`, "c"}, out: "a b,c,"},
		"exit code":           {words: []string{"exit 7"}, code: 7},
		"signal":              {words: []string{"kill -9 $$"}, code: 137},
		"stdin":               {words: []string{"cat"}, in: "some words", out: "some words"},
		"stdin is not wanted": {words: []string{"echo no"}, in: strings.Repeat("x", 1<<16), out: "no\n"},
		"refused":             {words: []string{"refuse", "me"}, code: 126, err: "entrain on h1: \"refuse me\": expected a launcher's daemon\n"},
		"the last words":      {words: []string{"head -c 60000 /dev/zero | tr '\\0' x; exit 3"}, code: 3, out: strings.Repeat("x", 60000)},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStreams(t)
			go func() {
				_, _ = io.WriteString(s.in, c.in)
				_ = s.in.Close()
			}()
			code, err := p.Exec(t.Context(), "h1", c.words, s.files)
			stdout, stderr := s.end()
			if err != nil || code != c.code || stdout != c.out || stderr != c.err {
				t.Errorf("code %d, error %v, stdout %.100q, stderr %.100q", code, err, stdout, stderr)
			}
		})
	}
	if !n.warned(`a remote launch was refused: "refuse me": expected a launcher's daemon`) {
		t.Errorf("warnings: %q", n.warns)
	}
}

// TestStreams: what crosses is the same, both ways at once, and more than all the buffers hold.
func TestStreams(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	p := n.pool(t, 0)
	data := make([]byte, 20<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	s := newStreams(t)
	go func() {
		_, _ = io.Copy(s.in, bytes.NewReader(data))
		_ = s.in.Close()
	}()
	code, err := p.Exec(t.Context(), "h1", []string{"tee /dev/stderr"}, s.files)
	stdout, stderr := s.end()
	want := sha256.Sum256(data)
	if code != 0 || err != nil || sha256.Sum256([]byte(stdout)) != want || sha256.Sum256([]byte(stderr)) != want {
		t.Errorf("code %d, error %v, %d and %d bytes of %d", code, err, len(stdout), len(stderr), len(data))
	}
}

// TestLastWords: where the client is slow, and somebody else holds a daemon's stdout open for longer than is waited, what
// the daemon wrote is taken nevertheless.
func TestLastWords(t *testing.T) {
	near, far, err := pipes()
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(near)
	defer closeAll(far)
	_, _ = io.WriteString(far[1], "last words")
	_ = near[1].SetReadDeadline(time.Now())
	var out bytes.Buffer
	copyOut(&out, near[1])
	if out.String() != "last words" {
		t.Errorf("%q", out.String())
	}
}

// TestNobodyReads: a daemon does not get stuck when nobody takes what it says.
func TestNobodyReads(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	s := newStreams(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := n.pool(t, 0).Exec(ctx, "h1", []string{"head -c 9000000 /dev/zero && exit 3"}, [3]*os.File{s.files[0], w, s.files[2]})
	if code != 3 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestHeldOpen: who inherits a daemon's stdout does not keep the session, and what the daemon wrote arrives.
func TestHeldOpen(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	s := newStreams(t)
	start := time.Now()
	code, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"sleep 60 & echo $!; exit 4"}, s.files)
	stdout, _ := s.end()
	var pid int
	if _, e := fmt.Sscan(stdout, &pid); e != nil || code != 4 || err != nil || time.Since(start) > patience {
		t.Errorf("code %d, error %v, stdout %q", code, err, stdout)
	}
	child, _ := os.FindProcess(pid)
	_ = child.Kill()
}

// TestLate: a host that comes late is waited for, and one that never comes is named.
func TestLate(t *testing.T) {
	n := newNetwork(t, 4)
	n.change = func(c *Config) { c.PeerTimeout = time.Second }
	p := n.pool(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	p.Connect(t.Context(), []string{"h1"})
	p.Connect(ctx, []string{"h2"})
	s := newStreams(t)
	for _, host := range []string{"h2", "h3"} { // nobody began to connect to h3
		_, err := p.Exec(t.Context(), host, []string{"true"}, s.files)
		if want := host + " is lost: it refuses connections: entrain has not started there, or has ended"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	n.serve(t, 1)
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 8"}, s.files); code != 8 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
	if _, err := p.Exec(t.Context(), "evil.example", []string{"true"}, s.files); err == nil || err.Error() != "evil.example is not a host of this job: [h0 h1 h2 h3]" {
		t.Error(err)
	}
}

// TestOtherServer: a client says nothing to a server that cannot show the host's key.
func TestOtherServer(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"another key":  func(c *Config) { c.Secret = bytes.Repeat([]byte("o"), 32) },
		"another job":  func(c *Config) { c.Job = "arn:other" },
		"another host": func(c *Config) { c.Self = "h2" },
	} {
		n := newNetwork(t, 3)
		n.change = change
		n.serve(t, 1)
		n.change = func(*Config) {}
		s := newStreams(t)
		_, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"true"}, s.files)
		if err == nil || !strings.HasSuffix(err.Error(), errOtherKey.Error()) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNoKey(t *testing.T) {
	c := newNetwork(t, 2).config(0)
	c.Secret = nil
	if _, err := NewPool(c); err == nil {
		t.Error("a pool without a key")
	}
	if _, err := Serve(c, nil); err == nil {
		t.Error("a server without a key")
	}
}

// TestWhy: why a host cannot be reached is said as far as it is known.
func TestWhy(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	for what, c := range map[string]struct {
		change func(*Config)
		why    string
	}{
		"no name": {func(c *Config) {
			c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
		}, "its name does not resolve: no such host"},
		"no address":   {func(c *Config) { c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, nil } }, "its name resolves to no address"},
		"no host":      {func(c *Config) { c.local = &net.TCPAddr{IP: address(7).AsSlice()} }, "it closed the connection before it knew this host; its log may say why"},
		"another host": {func(c *Config) { c.local = &net.TCPAddr{IP: address(2).AsSlice()} }, "it refuses this host; its log says why"},
	} {
		n.change = func(config *Config) { config.PeerTimeout = time.Second; c.change(config) }
		s := newStreams(t)
		if _, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"true"}, s.files); err == nil || err.Error() != "h1 is lost: "+c.why {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestExecErrors: an error never comes with exit code 0.
func TestExecErrors(t *testing.T) {
	n := newNetwork(t, 3)
	n.change = func(c *Config) { c.PeerTimeout = time.Second }
	n.serve(t, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, c := range map[string]struct {
		ctx  context.Context
		host string
	}{
		"a host of no job":      {t.Context(), "foo"},
		"a host that is not up": {t.Context(), "h2"},
		"who asked is gone":     {ended, "h1"},
	} {
		t.Run(what, func(t *testing.T) {
			p := n.pool(t, 0)
			s := newStreams(t)
			code, err := p.Exec(c.ctx, c.host, []string{"sleep 60"}, s.files)
			_ = s.in.Close()
			s.end()
			if err == nil || code != lost {
				t.Errorf("code %d with error %v, expected %d and one", code, err, lost)
			}
		})
	}
}
