package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

func TestExecRunsCommands(t *testing.T) {
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
		"refused": {
			words: []string{"refuse", "me"}, code: 126,
			err: "entrain on h1: \"refuse me\": expected a launcher's daemon\n",
		},
		"output just before the end": {
			words: []string{"head -c 60000 /dev/zero | tr '\\0' x; exit 3"}, code: 3, out: strings.Repeat("x", 60000),
		},
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
	if !n.hasWarned(`a remote launch was refused: "refuse me": expected a launcher's daemon`) {
		t.Errorf("warnings: %q", n.warns)
	}
}

// TestStreamsCrossUnchanged sends more than all buffers hold, in both directions at once.
func TestStreamsCrossUnchanged(t *testing.T) {
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
	isSame := sha256.Sum256([]byte(stdout)) == want && sha256.Sum256([]byte(stderr)) == want
	if code != 0 || err != nil || !isSame {
		t.Errorf("code %d, error %v, %d and %d bytes of %d", code, err, len(stdout), len(stderr), len(data))
	}
}

// TestCopyPipeReadsWhatThePipeHolds: when the read deadline passes, the pipe may still hold output of the
// daemon, since the client is slow and another process holds the pipe open. That output is copied.
func TestCopyPipeReadsWhatThePipeHolds(t *testing.T) {
	ours, theirs, err := pipes()
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(ours)
	defer closeAll(theirs)
	_, _ = io.WriteString(theirs[1], "last words")
	_ = ours[1].SetReadDeadline(time.Now())
	var out bytes.Buffer
	copyPipe(&out, ours[1])
	if out.String() != "last words" {
		t.Errorf("%q", out.String())
	}
}

// TestDaemonDoesNotBlockWithoutAReader: a daemon can write on when nobody reads its output any more.
func TestDaemonDoesNotBlockWithoutAReader(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	s := newStreams(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	files := [3]*os.File{s.files[0], w, s.files[2]}
	code, err := n.pool(t, 0).Exec(ctx, "h1", []string{"head -c 9000000 /dev/zero && exit 3"}, files)
	if code != 3 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestSessionEndsWithTheDaemon: a child that inherits the daemon's stdout does not hold up the session's end.
// The daemon's output arrives.
func TestSessionEndsWithTheDaemon(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	s := newStreams(t)
	start := time.Now()
	code, err := n.pool(t, 0).Exec(t.Context(), "h1", []string{"sleep 60 & echo $!; exit 4"}, s.files)
	stdout, _ := s.end()
	var pid int
	if _, e := fmt.Sscan(stdout, &pid); e != nil || code != 4 || err != nil || time.Since(start) > testTimeout {
		t.Errorf("code %d, error %v, stdout %q", code, err, stdout)
	}
	child, _ := os.FindProcess(pid)
	_ = child.Kill()
}

// TestExecErrorsHaveNoCode0: an error never comes with exit code 0.
func TestExecErrorsHaveNoCode0(t *testing.T) {
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
		"a context that ended":  {ended, "h1"},
	} {
		t.Run(what, func(t *testing.T) {
			p := n.pool(t, 0)
			s := newStreams(t)
			code, err := p.Exec(c.ctx, c.host, []string{"sleep 60"}, s.files)
			_ = s.in.Close()
			s.end()
			if err == nil || code != CodeSSHError {
				t.Errorf("code %d, error %v, want code %d and an error", code, err, CodeSSHError)
			}
		})
	}
}
