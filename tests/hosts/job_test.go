package hosts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// job is entrain as PID 1 of a host, as in a container: when it is killed, so is all that runs there.
type job struct {
	t     *testing.T
	cmd   *exec.Cmd
	said  *text
	ended chan struct{}
	code  int // once ended; 128+n for a signal
}

// run starts entrain with words, and variables before them.
func (h *host) run(words ...string) {
	t := h.lab.t
	t.Helper()
	env := []string{"env", "-i", "PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "TRAINING_JOB_NAME=job-1"}
	if os.Getenv("GOCOVERDIR") != "" {
		env = append(env, "GOCOVERDIR=/opt/cover")
	}
	variables := 0
	for variables < len(words) && strings.Contains(words[variables], "=") && !strings.HasPrefix(words[variables], "-") {
		variables++
	}
	argv := append(env, words[:variables]...)
	argv = append(append(argv, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/opt/bin/entrain"), words[variables:]...)
	argv = h.in(argv...)
	j := &job{t: t, cmd: exec.Command(argv[0], argv[1:]...), said: &text{}, ended: make(chan struct{})}
	j.cmd.Stdout, j.cmd.Stderr = j.said, j.said
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(j.ended)
		_ = j.cmd.Wait()
		status := j.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if j.code = status.ExitStatus(); status.Signaled() {
			j.code = 128 + int(status.Signal())
		}
	}()
	h.job = j
}

// init is the process ID of entrain, as the machine has it.
func (j *job) init() int {
	pid := strconv.Itoa(j.cmd.Process.Pid)
	var child int
	j.eventually("entrain starts", func() bool {
		children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
		child, _ = strconv.Atoi(strings.TrimSpace(string(children)))
		return child > 0
	})
	return child
}

// signal sends a signal to entrain. SIGKILL is the end of the host.
func (j *job) signal(sig syscall.Signal) {
	j.t.Helper()
	if err := syscall.Kill(j.init(), sig); err != nil {
		j.t.Error(err)
	}
}

// kill sends SIGKILL to the processes of a host of a name, of which there must be one.
func (j *job) kill(name string) {
	j.t.Helper()
	inside := must(j.t, "pgrep", "--ns", strconv.Itoa(j.init()), "--nslist", "pid", "-x", name)
	for pid := range strings.FieldsSeq(inside) {
		n, _ := strconv.Atoi(pid)
		if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
			j.t.Error(err)
		}
	}
}

// waitFor waits until a word has been said.
func (j *job) waitFor(word string) {
	j.t.Helper()
	if err := j.said.wait(word); err != nil {
		j.t.Fatal(err)
	}
}

// end waits for the end, and gives the exit code; -1 where there is none in time.
func (j *job) end(within time.Duration) int {
	select {
	case <-j.ended:
		return j.code
	case <-time.After(within):
		return -1
	}
}

// stop kills what has not ended.
func (j *job) stop() {
	_ = j.cmd.Process.Kill() // and with it, by --kill-child, all of the host
	<-j.ended
}

func (j *job) eventually(what string, holds func() bool) {
	j.t.Helper()
	if err := eventually(what, holds); err != nil {
		j.t.Fatal(err)
	}
}

func eventually(what string, holds func() bool) error {
	bound, err := time.ParseDuration(patience)
	if err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(bound); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return nil
		}
	}
	return fmt.Errorf("not within %s: %s", patience, what)
}

// text is what a program writes, while it writes.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// wait waits until it holds a word.
func (x *text) wait(word string) error {
	if err := eventually("the word "+word, func() bool { return strings.Contains(x.String(), word) }); err != nil {
		return fmt.Errorf("%w in %q", err, x.String())
	}
	return nil
}
