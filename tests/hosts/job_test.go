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

// job is entrain as PID 1 of a host, as in a container. If it is killed, all other processes of the host
// die with it.
type job struct {
	t     *testing.T
	cmd   *exec.Cmd
	said  *text
	ended chan struct{}
	code  int // valid after ended is closed; 128 + the number of the signal that ended it
}

// run starts entrain on a host. The words are its arguments. Variables NAME=VALUE may stand in front of them.
func (h *host) run(words ...string) {
	t := h.lab.t
	t.Helper()
	argv := []string{
		"env", "-i", "PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root",
		"TRAINING_JOB_NAME=job-1",
	}
	if os.Getenv("GOCOVERDIR") != "" {
		argv = append(argv, "GOCOVERDIR=/opt/cover")
	}
	isVariable := func(word string) bool { return strings.Contains(word, "=") && !strings.HasPrefix(word, "-") }
	variables := 0
	for variables < len(words) && isVariable(words[variables]) {
		variables++
	}
	argv = append(argv, words[:variables]...)
	argv = append(argv, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/opt/bin/entrain")
	argv = h.in(append(argv, words[variables:]...)...)
	if h.limit != "" {
		argv = append([]string{"sh", "-c", h.limit + ` && exec "$@"`, "sh"}, argv...)
	}
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

// entrainPID returns the process ID of entrain, as the machine outside of the host sees it.
func (j *job) entrainPID() int {
	pid := strconv.Itoa(j.cmd.Process.Pid)
	var child int
	j.eventually("entrain starts", func() bool {
		children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
		child, _ = strconv.Atoi(strings.TrimSpace(string(children)))
		return child > 0
	})
	return child
}

// signal sends a signal to entrain. SIGKILL ends the whole host.
func (j *job) signal(sig syscall.Signal) {
	j.t.Helper()
	if err := syscall.Kill(j.entrainPID(), sig); err != nil {
		j.t.Error(err)
	}
}

// kill sends SIGKILL to the processes of a host with a name. There must be one at least.
func (j *job) kill(name string) {
	j.t.Helper()
	j.signalProgram(name, syscall.SIGKILL)
}

// signalProgram is kill with another signal.
func (j *job) signalProgram(name string, sig syscall.Signal) {
	j.t.Helper()
	inside := must(j.t, "pgrep", "--ns", strconv.Itoa(j.entrainPID()), "--nslist", "pid", "-x", name)
	for pid := range strings.FieldsSeq(inside) {
		n, _ := strconv.Atoi(pid)
		if err := syscall.Kill(n, sig); err != nil {
			j.t.Error(err)
		}
	}
}

// waitFor waits until the output of the host contains a word.
func (j *job) waitFor(word string) {
	j.t.Helper()
	if err := j.said.wait(word); err != nil {
		j.t.Fatal(err)
	}
}

// waitForEnd waits for the end of the job, and returns its exit code. It returns -1 if the job does not
// end in time.
func (j *job) waitForEnd(within time.Duration) int {
	select {
	case <-j.ended:
		return j.code
	case <-time.After(within):
		return -1
	}
}

// stop kills the job if it has not ended.
func (j *job) stop() {
	_ = j.cmd.Process.Kill() // unshare --kill-child ends all processes of the host then
	<-j.ended
}

// eventually ends the test if a condition does not become true in time.
func (j *job) eventually(what string, holds func() bool) {
	j.t.Helper()
	if err := eventually(what, holds); err != nil {
		j.t.Fatal(err)
	}
}

// eventually waits until a condition holds. It returns an error after testTimeout.
func eventually(what string, holds func() bool) error {
	bound, err := time.ParseDuration(testTimeout)
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
	return fmt.Errorf("not within %s: %s", testTimeout, what)
}

// text holds the output of a program that may still write.
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

// wait waits until the text contains a word.
func (x *text) wait(word string) error {
	err := eventually("the word "+word, func() bool { return strings.Contains(x.String(), word) })
	if err != nil {
		return fmt.Errorf("%w in %q", err, x.String())
	}
	return nil
}
