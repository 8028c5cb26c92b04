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

	"golang.org/x/sys/unix"
)

// admitted is a Handlers.Remote for tests in which nobody may reach it.
func admitted(context.Context, string, []string, [3]*os.File) (int, error) {
	return 0, errors.New("admitted")
}

// TestOtherUserIsRefused: a process of another user than this one and root is refused, even where it can
// reach the socket.
func TestOtherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	_, socket := newNetwork(t, 1).local(t, Handlers{Remote: admitted})
	for _, path := range []string{filepath.Dir(filepath.Dir(socket)), filepath.Dir(socket), socket} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(filepath.Dir(socket), "rsh") // others may not enter the directory of the test binary
	if out, err := exec.Command("cp", os.Args[0], copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for uid, want := range map[uint32]string{65534: "has ended, or belongs to another user", 0: "admitted"} {
		rsh := exec.Command(copied, "rsh", socket, "h1", "true")
		rsh.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := rsh.CombinedOutput()
		if err == nil || rsh.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), want) {
			t.Errorf("uid %d: %v: %s", uid, err, out)
		}
	}
}

// TestOtherMessagesAreRefused: a program that sends anything else to the socket gets nothing, and leaves no
// open files.
func TestOtherMessagesAreRefused(t *testing.T) {
	_, socket := newNetwork(t, 1).local(t, Handlers{
		Remote: admitted,
		Joined: func(*RankConn) { t.Error("a rank was admitted") },
	})
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer other.Close() // the garbage collector must not close it, since the test counts open files
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
		if strings.Contains(string(answer), "admitted") {
			t.Errorf("%+v was admitted", c)
		}
		conn.Close()
	}
	waitUntil(t, "the close of all files", func() bool { return openFiles(t) <= before })
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
