package remote

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRshRunsCommandsAsLaunchersAsk(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	_, socket := n.local(t, Handlers{Remote: n.pool(t, 0).Exec})
	for what, c := range map[string]struct {
		args        []string
		in          string
		code        int
		out, stderr string
	}{
		"as Hydra": {args: []string{"-x", "h1", `"/bin/cat"`, "-u"}, in: "in", out: "in"},
		"as Open MPI": {
			args: []string{"h1", `PATH=/usr/bin:/bin:$PATH ; export PATH ; `, "echo", `"\"env\""`},
			out:  "\"env\"\n",
		},
		"not UTF-8": {args: []string{"h1", "printf", "%s", "'<\xff\xfe>'"}, out: "<\xff\xfe>"},
		"exit code": {args: []string{"h1", "exit 9"}, code: 9},
		"a signal":  {args: []string{"h1", "kill -TERM $$"}, code: 143},
		"unknown host": {
			args: []string{"evil.example", "true"}, code: 255,
			stderr: "evil.example is not a host of this job: [h0 h1]",
		},
		"no command": {args: []string{"h1"}, code: 255, stderr: `["h1"]: expected a host and a command`},
		"other options": {
			args: []string{"-t", "h1", "true"}, code: 255,
			stderr: `"-t": expected the options -x, -q, -n, -p, -l or -o, then a host and a command`,
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStreams(t)
			_, _ = io.WriteString(s.in, c.in)
			_ = s.in.Close()
			code, err := Rsh(socket, c.args, s.files[0], s.files[1], s.files[2])
			stdout, stderr := s.end()
			if err != nil {
				stderr += err.Error()
			}
			if code != c.code || stdout != c.out || stderr != c.stderr {
				t.Errorf("code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// TestRshReadsDevNull: a stdin that cannot be polled is read to its end.
func TestRshReadsDevNull(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	_, socket := n.local(t, Handlers{Remote: n.pool(t, 0).Exec})
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s := newStreams(t)
	code, err := Rsh(socket, []string{"h1", "cat; exit 4"}, null, s.files[1], s.files[2])
	if code != 4 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestRshLeavesStdinToOthers: others who read the same stdin block all the time, so an rsh that is killed
// leaves nothing to restore. When the command has ended, nobody reads stdin for it any more.
func TestRshLeavesStdinToOthers(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	var fds [2]int // not os.Pipe, whose reads do not block
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "|"), os.NewFile(uintptr(fds[1]), "|")
	defer r.Close()
	defer w.Close()
	p := n.pool(t, 0)
	remote := func(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
		if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("flags %#x, error %v: other readers do not block while the command runs", flags, err)
		}
		return p.Exec(ctx, host, words, files)
	}
	_, socket := n.local(t, Handlers{Remote: remote})
	s := newStreams(t)
	if code, err := Rsh(socket, []string{"h1", "exit 4"}, r, s.files[1], s.files[2]); code != 4 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
	flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, error %v: other readers do not block any more", flags, err)
	}
	_, _ = io.WriteString(w, "for the next")
	poll := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
	if ready, err := unix.Poll(poll, int(time.Second.Milliseconds())); ready != 1 || err != nil {
		t.Errorf("somebody still reads stdin: %d, %v", ready, err)
	}
}

// TestRshThatIsKilledEndsItsContext: the handler's context ends when its rsh is killed. What that means for
// the command is the handler's decision.
func TestRshThatIsKilledEndsItsContext(t *testing.T) {
	const line = "sleep 63"
	n := newNetwork(t, 2)
	n.serve(t, 1)
	p := n.pool(t, 0)
	rshGone, endCommand := make(chan struct{}), make(chan struct{})
	remote := func(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
		inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() {
			close(rshGone)
			<-endCommand
			cancel()
		})()
		return p.Exec(inner, host, words, files)
	}
	_, socket := n.local(t, Handlers{Remote: remote})
	rsh := exec.Command(os.Args[0], "rsh", socket, "h1", line)
	if err := rsh.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the start", func() bool { return n.isRunning(line) })
	_ = rsh.Process.Kill()
	_ = rsh.Wait()
	<-rshGone
	if !n.isRunning(line) {
		t.Error("the command ended with its rsh")
	}
	close(endCommand)
	waitUntil(t, "the daemon's end", func() bool { return !n.isRunning(line) })
}

// TestRshEndsWithItsRun: an rsh ends when the run ends, and fails when there is none.
func TestRshEndsWithItsRun(t *testing.T) {
	called := make(chan struct{})
	remote := func(ctx context.Context, _ string, _ []string, _ [3]*os.File) (int, error) {
		close(called)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	local, socket := newNetwork(t, 1).local(t, Handlers{Remote: remote})
	s := newStreams(t)
	ended := make(chan error)
	go func() {
		code, err := Rsh(socket, []string{"h1", "true"}, s.files[0], s.files[1], s.files[2])
		if code != 255 {
			t.Errorf("code %d", code)
		}
		ended <- err
	}()
	<-called
	local.Close()
	const want = "entrain run on this host has ended, or belongs to another user"
	if err := <-ended; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	code, err := Rsh(socket, []string{"h1", "true"}, s.files[0], s.files[1], s.files[2])
	if code != 255 || err == nil {
		t.Fatalf("code %d, error %v", code, err)
	}
	for _, want := range []string{socket, "hint: only the launcher"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s in it", err, want)
		}
	}
}
