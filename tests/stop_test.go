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

// pythonStop is a trainer that raises an exception on SIGTERM.
func pythonStop(raise string) []string {
	return []string{"python3", "-c", `import signal, time
class SignalException(Exception): pass
def stop(*_): raise ` + raise + `
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(600)`}
}

// TestStop: a stop is told as a stop, and a code that the trainer chose stays.
func TestStop(t *testing.T) {
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
		{"a code of its own", []string{"bash", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done"}, 5, "bash: exit code 5 (told to stop by SIGTERM) after"},
		{"saved", []string{"bash", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"}, 0, ""},
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

// TestStopByItself: what kills a trainer without a stop is a failure.
func TestStopByItself(t *testing.T) {
	t.Parallel()
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "kill -TERM $$")
	_ = cmd.Run()
	failure := read(t, dir, "output/failure")
	if got := cmd.ProcessState.ExitCode(); got != 143 || strings.Contains(failure, "stopped by") {
		t.Errorf("exit code %d, and the failure file says %q", got, failure)
	}
}

// saving saves for longer than what a trainer leaves behind has where it ended by itself. A second SIGTERM ends it.
const saving = `import os, signal, time
def stop(*_):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(3)
    open("saved", "w").write("all")
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
open("pid", "w").write(str(os.getpid()))
print("ready", flush=True)
time.sleep(600)`

// TestGraceBelowShell: a shell that SIGTERM ends does not take the grace from the program that saves.
func TestGraceBelowShell(t *testing.T) {
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

// TestGraceEnds: what does not end within the rest of the grace is killed.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, []string{"--grace", "300ms"}, "bash", "-c", `sh -c 'trap "" TERM; echo ready; exec sleep 600'; echo done`)
	startReady(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 143 {
		t.Errorf("exit code %d, expected 143", got)
	}
}

// TestStopWhileLooking: somebody listens while a helper program hangs, and it ends with all that it has started.
func TestStopWhileLooking(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	script := "#!/bin/sh\nsleep 600 &\necho $! >" + bin + "/pid\nsleep 600\n"
	if err := os.WriteFile(bin+"/mpirun", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd, dir := runTrainer(t, []string{"env", "PATH=" + bin + ":" + os.Getenv("PATH")}, []string{"--launcher", "mpi"}, "true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err := until("mpirun is asked", func() bool { text, _ := os.ReadFile(bin + "/pid"); return len(text) > 0 })
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

// TestFailureThatIsNoFile: a FIFO stays, and nobody waits for its reader; a link to a pipe is written to.
func TestFailureThatIsNoFile(t *testing.T) {
	t.Parallel()
	t.Run("a FIFO", func(t *testing.T) {
		t.Parallel()
		cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "exit 3")
		path := filepath.Join(dir, "output/failure")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), syscall.Mkfifo(path, 0o644), cmd.Start()); err != nil {
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
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink("/dev/stdout", path), cmd.Start()); err != nil {
			t.Fatal(err)
		}
		if got := code(t, cmd); got != 3 || !strings.HasPrefix(out.String(), "sh: exit code 3 after ") {
			t.Errorf("exit code %d, and stdout has %q", got, out.String())
		}
	})
}

// TestWithoutProc: nothing that an init does needs /proc.
func TestWithoutProc(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, for a mount namespace")
	}
	t.Parallel()
	without := []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs none /proc && trap "" HUP && exec "$@"`, "sh"}
	cmd, _ := runTrainer(t, without, nil, "sh", "-c", "exit 4")
	_ = cmd.Start()
	if got := code(t, cmd); got != 4 {
		t.Errorf("with SIGHUP ignored: exit code %d, expected 4", got)
	}
	cmd, _ = runTrainer(t, without, []string{"--grace", "300ms"}, "sh", "-c", `trap "" TERM; sleep 600 & echo $! >pid; echo ready; wait; sleep 600`)
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
	if err := until("process "+pid+" is gone", func() bool { _, err := os.Stat("/proc/" + pid + "/fd/0"); return err != nil }); err != nil {
		t.Error(err)
	}
}

// TestKilledInit: the trainer does not outlive an entrain that is killed.
func TestKilledInit(t *testing.T) {
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

// TestIgnoredQuitEndsNothing: a SIGQUIT that was ignored when entrain was started, as nohup does with SIGHUP, ends neither
// the wait for the other hosts nor the trainer.
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
		if err := os.WriteFile(filepath.Join(dir, "input/config/resourceconfig.json"), []byte(hosts), 0o600); err != nil {
			t.Fatal(err)
		}
		var log text
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := until("it waits", func() bool { return strings.Contains(log.String(), "still waiting for") }); err != nil {
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

// TestUnfinishedLine: the log begins a line of its own.
func TestUnfinishedLine(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, nil, "sh", "-c", "printf 'no end' >&2; exit 3")
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "no end\nentrain: error: ") {
		t.Errorf("the log says %q", out)
	}
}

// TestLongGrace: a grace may be longer than a poll(2) can wait.
func TestLongGrace(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, []string{"--grace", "1000h"}, "bash", "-c", "trap 'sleep 0.3; exit 6' TERM; echo ready; while :; do sleep 0.01; done")
	startReady(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 6 {
		t.Errorf("exit code %d, expected 6", got)
	}
}

// TestDirectoryWhileWaiting: entrain keeps no directory busy while it waits for the other hosts.
func TestDirectoryWhileWaiting(t *testing.T) {
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
	if err := until("it has left its directory", func() bool { at, _ := os.Readlink(link); return at == "/" }); err != nil {
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
