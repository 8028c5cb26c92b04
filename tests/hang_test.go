package tests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// lockedBuffer takes the log of a process while the test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestMountThatHangsIsNamed checks that a channel on a mount that never answers is named in the log, and that
// SIGTERM ends the wait. The mount is a FUSE file system without a server, in a mount namespace of its own.
func TestMountThatHangsIsNamed(t *testing.T) {
	needRoot(t, "for a mount namespace")
	if _, err := os.Stat("/dev/fuse"); err != nil {
		skip(t, "no /dev/fuse: no mount can be made to hang")
	}
	must(t, "scripts/build")
	for what, words := range map[string][]string{
		"run": {"run", "--", "true"}, "pipe": {"pipe", "stream"}, "wait": {"wait"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			must(t, abs(t, "dist/entrain"), "scaffold", "--channel", "train", "--channel", "stream=Pipe", dir+"/job")
			hung := filepath.Join(dir, "job/input/data/train")
			const script = `exec 5<>/dev/fuse &&
mount -i -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 hang "$HUNG" || exit 99; exec "$@"`
			argv := append([]string{"-m", "sh", "-c", script, "sh", abs(t, "dist/entrain")}, words...)
			var log lockedBuffer
			cmd := exec.Command("unshare", argv...)
			cmd.Env = append(os.Environ(), "ENTRAIN_ROOT="+dir+"/job", "ENTRAIN_ARGS_STYLE=none", "HUNG="+hung)
			cmd.Stderr = &log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			named := func() bool { return strings.Contains(log.String(), "looking at "+hung+" has taken 2s") }
			if err := until("the log names "+hung, named); err != nil {
				t.Errorf("%v\nlog:\n%s", err, log.String())
			}
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 143 {
				t.Errorf("exit code %d, want 143\nlog:\n%s", code, log.String())
			}
		})
	}
}
