package tests

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bashOnTerm is a trainer that runs a command on SIGTERM.
func bashOnTerm(command string) []string {
	return []string{"bash", "-c", "trap '" + command + "' TERM; echo ready; while :; do sleep 0.01; done"}
}

// pythonStop is a trainer that raises an exception on SIGTERM. It sleeps in small steps: Python runs a
// handler only after a system call, so a signal that comes just before a long sleep waits for its end.
func pythonStop(raise string) []string {
	return []string{"python3", "-c", `import signal, time
class SignalException(Exception): pass
def stop(*_): raise ` + raise + `
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True: time.sleep(0.05)`}
}

// A stop is reported as a stop, and an exit code that the trainer chose stays.
func TestStopIsReportedAsAStop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what  string
		words []string
		code  int
		first string // line of the failure file
	}{
		{"by the signal", []string{"sh", "-c", "echo ready; exec sleep 600"}, 143, "stopped by SIGTERM"},
		{"torchrun", pythonStop(`SignalException("Process 7 got signal: 15")`), 143, "stopped by SIGTERM"},
		{"as Ctrl-C", pythonStop("KeyboardInterrupt"), 143, "stopped by SIGTERM"},
		{"another exception", pythonStop(`RuntimeError("out of luck")`), 1, "RuntimeError: out of luck"},
		{"a code of its own", bashOnTerm("exit 5"), 5, "bash: exit code 5 (told to stop by SIGTERM) after"},
		{"saved", bashOnTerm("exit 0"), 0, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			cmd, dir := runTrainer(t, nil, nil, c.words...)
			var log text
			cmd.Stderr = &log
			startReady(t, cmd)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := code(t, cmd); got != c.code {
				t.Errorf("exit code %d, expected %d", got, c.code)
			}
			failure, _ := os.ReadFile(filepath.Join(dir, "output/failure"))
			if !strings.HasPrefix(string(failure), c.first) || (c.first == "") != (len(failure) == 0) {
				t.Errorf("the failure file says %q, expected %q first", failure, c.first)
			}
			if c.code == 143 && !strings.Contains(log.String(), "entrain: error: stopped by SIGTERM\n") {
				t.Errorf("the log says %q", log.String())
			}
		})
	}
}

// A trainer that sends itself a SIGTERM has failed: nobody has stopped it.
func TestSIGTERMToItselfIsAFailure(t *testing.T) {
	t.Parallel()
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "kill -TERM $$")
	_ = cmd.Run()
	failure := read(t, dir, "output/failure")
	if got := cmd.ProcessState.ExitCode(); got != 143 || strings.Contains(failure, "stopped by") {
		t.Errorf("exit code %d, and the failure file says %q", got, failure)
	}
}

// saving takes longer to save than the two seconds that leftovers have where nobody stops the job. A second
// SIGTERM ends it.
const saving = `import os, signal, time
def stop(*_):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(3)
    open("saved", "w").write("all")
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
open("pid", "w").write(str(os.getpid()))
print("ready", flush=True)
while True: time.sleep(0.05)`

// A program that saves has the grace, even if SIGTERM ends the shell above it.
func TestProgramBelowAShellHasTheGrace(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--signal-group"}} {
		t.Run(strings.Join(flags, ""), func(t *testing.T) {
			t.Parallel()
			cmd, _ := runTrainer(t, nil, flags, "bash", "-c", "python3 save.py; echo done")
			cmd.Dir = t.TempDir()
			if err := os.WriteFile(filepath.Join(cmd.Dir, "save.py"), []byte(saving), 0o600); err != nil {
				t.Fatal(err)
			}
			startReady(t, cmd)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := code(t, cmd); got != 143 {
				t.Errorf("exit code %d, expected 143", got)
			}
			if saved := read(t, cmd.Dir, "saved"); saved != "all" {
				t.Errorf("it saved %q", saved)
			}
		})
	}
}

// A program that does not end within the rest of the grace is killed.
func TestProgramIsKilledAfterTheGrace(t *testing.T) {
	t.Parallel()
	ignoring := `sh -c 'trap "" TERM; echo ready; exec sleep 600'; echo done`
	cmd, _ := runTrainer(t, nil, []string{"--grace", "300ms"}, "bash", "-c", ignoring)
	startReady(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 143 {
		t.Errorf("exit code %d, expected 143", got)
	}
}

// A SIGTERM ends the job while a helper program hangs. The helper program ends with all processes that it
// has started.
func TestStopEndsAHelperProgramThatHangs(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	script := "#!/bin/sh\nsleep 600 &\necho $! >" + bin + "/pid\nsleep 600\n"
	if err := os.WriteFile(bin+"/mpirun", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + bin + ":" + os.Getenv("PATH")
	cmd, dir := runTrainer(t, []string{"env", path}, []string{"--launcher", "mpi"}, "true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hasStarted := func() bool { text, _ := os.ReadFile(bin + "/pid"); return len(text) > 0 }
	err := until("mpirun has started", hasStarted)
	if err := errors.Join(err, cmd.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 143 {
		t.Errorf("exit code %d, expected 143", got)
	}
	if got := read(t, dir, "output/failure"); got != "stopped by SIGTERM" {
		t.Errorf("the failure file says %q", got)
	}
	awaitGone(t, bin)
}

// A FIFO in place of the failure file stays, and entrain does not wait for its reader. A link to a pipe is
// written to.
func TestFailureFileMayBeAPipe(t *testing.T) {
	t.Parallel()
	t.Run("a FIFO", func(t *testing.T) {
		t.Parallel()
		cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "exit 3")
		path := filepath.Join(dir, "output/failure")
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), syscall.Mkfifo(path, 0o644))
		if err := errors.Join(err, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		if got := code(t, cmd); got != 3 {
			t.Errorf("exit code %d, expected 3", got)
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("the FIFO is %v, %v", info, err)
		}
	})
	t.Run("a link to stdout", func(t *testing.T) {
		t.Parallel()
		cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "exit 3")
		path := filepath.Join(dir, "output/failure")
		var out text
		cmd.Stdout = &out
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink("/dev/stdout", path))
		if err := errors.Join(err, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		if got := code(t, cmd); got != 3 || !strings.HasPrefix(out.String(), "sh: exit code 3 after ") {
			t.Errorf("exit code %d, and stdout has %q", got, out.String())
		}
	})
}

// An init works without /proc: with signals that were ignored, and at the end of the grace.
func TestInitWorksWithoutProc(t *testing.T) {
	needRoot(t, "for a mount namespace")
	t.Parallel()
	script := `mount -t tmpfs none /proc && trap "" HUP && exec "$@"`
	without := []string{"unshare", "--mount", "sh", "-c", script, "sh"}
	cmd, _ := runTrainer(t, without, nil, "sh", "-c", "exit 4")
	_ = cmd.Start()
	if got := code(t, cmd); got != 4 {
		t.Errorf("with SIGHUP ignored: exit code %d, expected 4", got)
	}
	ignoring := `trap "" TERM; sleep 600 & echo $! >pid; echo ready; wait; sleep 600`
	cmd, _ = runTrainer(t, without, []string{"--grace", "300ms"}, "sh", "-c", ignoring)
	cmd.Dir = t.TempDir()
	startReady(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 137 {
		t.Errorf("after the grace: exit code %d, expected 137", got)
	}
	awaitGone(t, cmd.Dir)
}

// awaitGone waits for the end of the process whose number is in a directory's file "pid".
func awaitGone(t *testing.T, dir string) {
	t.Helper()
	pid := strings.TrimSpace(read(t, dir, "pid"))
	hasEnded := func() bool { _, err := os.Stat("/proc/" + pid + "/fd/0"); return err != nil }
	if err := until("process "+pid+" has ended", hasEnded); err != nil {
		t.Error(err)
	}
}

// The trainer does not outlive an entrain that is killed.
func TestTrainerEndsWithAKilledInit(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, 34} {
		cmd, _ := runTrainer(t, nil, nil, "sh", "-c", "echo $$ >pid; echo ready; exec sleep 600")
		cmd.Dir = t.TempDir()
		startReady(t, cmd)
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = code(t, cmd)
		awaitGone(t, cmd.Dir)
	}
}

// Where SIGQUIT was ignored when entrain was started, as nohup does with SIGHUP, a SIGQUIT ends neither the
// wait for the other hosts nor the trainer.
func TestIgnoredQuitEndsNothing(t *testing.T) {
	t.Parallel()
	ignoring := []string{"sh", "-c", `trap "" QUIT; exec "$@"`, "sh"}
	t.Run("the trainer", func(t *testing.T) {
		t.Parallel()
		cmd, dir := runTrainer(t, ignoring, nil, "sh", "-c", "echo ready; exec sleep 600")
		startReady(t, cmd)
		stopAfterQuit(t, cmd, dir)
	})
	t.Run("the wait", func(t *testing.T) {
		t.Parallel()
		cmd, dir := runTrainer(t, ignoring, []string{"--rendezvous", "off"}, "true")
		hosts := `{"current_host":"algo-1","hosts":["algo-1","algo-2.invalid"]}`
		config := filepath.Join(dir, "input/config/resourceconfig.json")
		if err := os.WriteFile(config, []byte(hosts), 0o600); err != nil {
			t.Fatal(err)
		}
		var log text
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waits := func() bool { return strings.Contains(log.String(), "still waiting for") }
		if err := until("it waits", waits); err != nil {
			t.Fatal(err)
		}
		stopAfterQuit(t, cmd, dir)
	})
}

// stopAfterQuit sends SIGQUIT, and then the SIGTERM that must be what ends the job.
func stopAfterQuit(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	if err := errors.Join(cmd.Process.Signal(syscall.SIGQUIT), cmd.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 143 {
		t.Errorf("exit code %d, expected 143", got)
	}
	if got := read(t, dir, "output/failure"); !strings.Contains(got, "stopped by SIGTERM") {
		t.Errorf("the failure file says %q", got)
	}
}

// The log begins a new line where the trainer's last line has no newline.
func TestLogBeginsANewLine(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, nil, "sh", "-c", "printf 'no end' >&2; exit 3")
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "no end\nentrain: error: ") {
		t.Errorf("the log says %q", out)
	}
}

// A grace may be longer than poll(2) can wait, which is 24.8 days.
func TestGraceMayBeLong(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, []string{"--grace", "1000h"}, bashOnTerm("sleep 0.3; exit 6")...)
	startReady(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 6 {
		t.Errorf("exit code %d, expected 6", got)
	}
}

// entrain keeps no directory busy while it waits for the other hosts.
func TestWaitKeepsNoDirectoryBusy(t *testing.T) {
	t.Parallel()
	must(t, "scripts/build")
	dir := t.TempDir()
	must(t, "dist/entrain", "scaffold", "--hosts", "2", dir)
	cmd := exec.Command(abs(t, "dist/entrain"), "run", "--root", dir, "--rendezvous", "off", "--", "true")
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	link := "/proc/" + strconv.Itoa(cmd.Process.Pid) + "/cwd"
	atRoot := func() bool { dir, _ := os.Readlink(link); return dir == "/" }
	if err := until("it has left its directory", atRoot); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := time.AfterFunc(waitLimit, func() { _ = cmd.Process.Kill() })
	defer ended.Stop()
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("exit code %d, expected 143", got)
	}
}
