package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRsh(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	_, socket := n.local(t, Handlers{Remote: n.pool(t, 0).Exec})
	for what, c := range map[string]struct {
		args        []string
		in          string
		code        int
		out, stderr string
	}{
		"as Hydra":      {args: []string{"-x", "h1", `"/bin/cat"`, "-u"}, in: "in", out: "in"},
		"as Open MPI":   {args: []string{"h1", `PATH=/usr/bin:/bin:$PATH ; export PATH ; `, "echo", `"\"env\""`}, out: "\"env\"\n"},
		"not UTF-8":     {args: []string{"h1", "printf", "%s", "'<\xff\xfe>'"}, out: "<\xff\xfe>"},
		"exit code":     {args: []string{"h1", "exit 9"}, code: 9},
		"a signal":      {args: []string{"h1", "kill -TERM $$"}, code: 143},
		"unknown host":  {args: []string{"evil.example", "true"}, code: 255, stderr: "evil.example is not a host of this job: [h0 h1]"},
		"no command":    {args: []string{"h1"}, code: 255, stderr: `["h1"]: expected a host and a command`},
		"other options": {args: []string{"-t", "h1", "true"}, code: 255, stderr: `"-t": expected the options -x, -q, -n, -p, -l or -o, then a host and a command`},
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

// TestRshNull: a stdin that cannot be waited for is read to its end.
func TestRshNull(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	_, socket := n.local(t, Handlers{Remote: n.pool(t, 0).Exec})
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s := newStreams(t)
	if code, err := Rsh(socket, []string{"h1", "cat; exit 4"}, null, s.files[1], s.files[2]); code != 4 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestRshStdinStays: when a command has ended, nobody reads its stdin any more, and others who do block, as they have all
// the time: an rsh that is killed leaves nothing to restore.
func TestRshStdinStays(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	var fds [2]int // os.Pipe's would not block
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "|"), os.NewFile(uintptr(fds[1]), "|")
	defer r.Close()
	defer w.Close()
	p := n.pool(t, 0)
	_, socket := n.local(t, Handlers{Remote: func(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
		if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("flags %#x, error %v: others that read there do not block while the command runs", flags, err)
		}
		return p.Exec(ctx, host, words, files)
	}})
	s := newStreams(t)
	if code, err := Rsh(socket, []string{"h1", "exit 4"}, r, s.files[1], s.files[2]); code != 4 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
	flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, error %v: others that read there do not block any more", flags, err)
	}
	_, _ = io.WriteString(w, "for the next")
	poll := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
	if ready, err := unix.Poll(poll, int(time.Second.Milliseconds())); ready != 1 || err != nil {
		t.Errorf("what comes later is read nevertheless: %d, %v", ready, err)
	}
}

// TestRshKilled: the run is told when an rsh is killed, and that alone ends nothing.
func TestRshKilled(t *testing.T) {
	const line = "sleep 63"
	n := newNetwork(t, 2)
	n.serve(t, 1)
	p := n.pool(t, 0)
	gone, left := make(chan struct{}), make(chan struct{})
	_, socket := n.local(t, Handlers{Remote: func(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
		inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() {
			close(gone)
			<-left
			cancel()
		})()
		return p.Exec(inner, host, words, files)
	}})
	rsh := exec.Command(os.Args[0], "rsh", socket, "h1", line)
	if err := rsh.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the start", func() bool { return n.runs(line) })
	_ = rsh.Process.Kill()
	_ = rsh.Wait()
	<-gone
	if !n.runs(line) {
		t.Error("the session ended with its rsh")
	}
	close(left)
	until(t, "the daemon's end", func() bool { return !n.runs(line) })
}

// TestRshRunGone: when the run ends, so does an rsh.
func TestRshRunGone(t *testing.T) {
	called := make(chan struct{})
	local, socket := newNetwork(t, 1).local(t, Handlers{Remote: func(ctx context.Context, _ string, _ []string, _ [3]*os.File) (int, error) {
		close(called)
		<-ctx.Done()
		return 0, ctx.Err()
	}})
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
	if err := <-ended; err == nil || err.Error() != "entrain run on this host has ended, or belongs to another user" {
		t.Error(err)
	}
	code, err := Rsh(socket, []string{"h1", "true"}, s.files[0], s.files[1], s.files[2])
	if code != 255 || err == nil || !strings.Contains(err.Error(), socket) || !strings.Contains(err.Error(), "hint: only the launcher") {
		t.Errorf("code %d, error %v", code, err)
	}
}

// TestOtherUser: who is neither this user nor root is refused, even where the socket can be reached.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	_, socket := newNetwork(t, 1).local(t, Handlers{Remote: func(context.Context, string, []string, [3]*os.File) (int, error) {
		return 0, errors.New("was let in")
	}})
	for _, path := range []string{filepath.Dir(filepath.Dir(socket)), filepath.Dir(socket), socket} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(filepath.Dir(socket), "rsh") // the test binary's directory may be closed to others
	if out, err := exec.Command("cp", os.Args[0], copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for uid, want := range map[uint32]string{65534: "has ended, or belongs to another user", 0: "was let in"} {
		rsh := exec.Command(copied, "rsh", socket, "h1", "true")
		rsh.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if out, err := rsh.CombinedOutput(); err == nil || rsh.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), want) {
			t.Errorf("uid %d: %v: %s", uid, err, out)
		}
	}
}

// TestLocalStrangers: whoever says something else on the socket gets nothing, and leaves nothing behind.
func TestLocalStrangers(t *testing.T) {
	_, socket := newNetwork(t, 1).local(t, Handlers{
		Remote: func(context.Context, string, []string, [3]*os.File) (int, error) { return 0, errors.New("was let in") },
		Joined: func(*RankConn) { t.Error("a rank was let in") },
	})
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer other.Close() // not by the garbage collector, which would upset the count
	fd := int(pipe.Fd())
	before := openFiles(t)
	for _, c := range []struct {
		first string
		fds   []int
		rest  string
	}{
		{"r", nil, `{"host":"h1","words":["dHJ1ZQ=="]}`},
		{"r", []int{fd, fd}, `{"host":"h1","words":["dHJ1ZQ=="]}`},
		{"r", []int{fd, fd, fd, fd}, `{"host":"h1","words":["dHJ1ZQ=="]}`},
		{"r", []int{fd, fd, fd, fd, fd}, `{"host":"h1","words":["dHJ1ZQ=="]}`},
		{"r", []int{fd, fd, fd}, `{"host":"","words":["dHJ1ZQ=="]}`},
		{"r", []int{fd, fd, fd}, `{"host":"h1","words":[]}`},
		{"r", []int{fd, fd, fd}, `rubbish`},
		{"k", []int{fd}, `{"rank":0}`},
		{"k", nil, `{"rank":-1}`},
		{"x", nil, ``},
	} {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := conn.WriteMsgUnix([]byte(c.first), unix.UnixRights(c.fds...), nil); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, c.rest+"\n")
		answer, _ := io.ReadAll(conn)
		if strings.Contains(string(answer), "was let in") {
			t.Errorf("%+v was let in", c)
		}
		conn.Close()
	}
	until(t, "the end of all files", func() bool { return openFiles(t) <= before })
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
