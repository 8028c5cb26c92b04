package tests

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runTrainer returns the command of entrain run for a trainer, and its contract's directory. The words of
// before prepare the process and execute entrain, such as a shell with a trap.
func runTrainer(t *testing.T, before []string, flags []string, words ...string) (*exec.Cmd, string) {
	t.Helper()
	if strings.Contains(strings.Join(words, " "), "python3") {
		needProgram(t, "python3", "python3")
	}
	must(t, "scripts/build")
	dir := tree(t)
	argv := slices.Concat(before, []string{abs(t, "dist/entrain"), "run", "--root", dir, "--args-style", "none"})
	argv = slices.Concat(argv, flags, []string{"--"}, words)
	cmd := exec.Command(argv[0], argv[1:]...)
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, dir
}

// startReady starts a command and waits until the trainer says that it is ready.
func startReady(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
}

// code waits for the end of a command and returns the exit code. It kills the command after waitLimit and
// returns -1.
func code(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	stop := time.AfterFunc(waitLimit, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// TestReaderThatStopsDelaysNothing checks that a reader of stderr that stops to read delays neither the end
// nor the failure file.
func TestReaderThatStopsDelaysNothing(t *testing.T) {
	t.Parallel()
	const script = "head -c 500000 /dev/zero >&2; echo RuntimeError: no luck >&2; exit 3"
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", script)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := code(t, cmd); got != 3 {
		t.Errorf("exit code %d, want 3", got)
	}
	if got := read(t, dir, "output/failure"); len(got) < 20 || got[:21] != "RuntimeError: no luck" {
		t.Errorf("the failure file says %.80q", got)
	}
}

// TestReaderThatEndsIsNotNoticed checks that the trainer can write to stderr after the reader has ended, and
// that the failure file keeps the trainer's last line.
func TestReaderThatEndsIsNotNoticed(t *testing.T) {
	t.Parallel()
	const script = "head -c 4000000 /dev/zero >&2 || exit 9; echo RuntimeError: no luck >&2; exit 3"
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", script)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := code(t, cmd); got != 3 {
		t.Errorf("exit code %d, want 3", got)
	}
	if got := read(t, dir, "output/failure"); !strings.HasPrefix(got, "RuntimeError: no luck\n") {
		t.Errorf("the failure file says %.80q", got)
	}
}

// TestFurtherTermsDoNotExtendGrace checks that the grace begins with the first SIGTERM, even if more of them
// arrive.
func TestFurtherTermsDoNotExtendGrace(t *testing.T) {
	t.Parallel()
	const script = `trap "" TERM; echo ready; exec sleep 600`
	cmd, _ := runTrainer(t, nil, []string{"--grace", "500ms"}, "sh", "-c", script)
	startReady(t, cmd)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	ended := make(chan int)
	go func() { ended <- code(t, cmd) }()
	for {
		select {
		case got := <-ended:
			if got != 137 {
				t.Errorf("exit code %d, want 137", got)
			}
			return
		case <-tick.C:
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}

// TestSigpipeIsNotPassedOn checks that a SIGPIPE to entrain does not reach the trainer, but later signals do.
func TestSigpipeIsNotPassedOn(t *testing.T) {
	t.Parallel()
	helper := needHelper(t)
	b := &bench{t: t, dir: t.TempDir(), helper: helper, program: initProgram{"entrain run", entrainRun}}
	s, err := b.startReady(nil, helper, "signals", "2")
	if err != nil {
		t.Fatal(err)
	}
	_ = s.signal(syscall.SIGPIPE)
	for sig, want := range map[syscall.Signal]string{syscall.SIGUSR1: "10", syscall.SIGUSR2: "12"} {
		_ = s.signal(sig)
		if line, err := s.line(); line != want {
			t.Errorf("the trainer got signal %q, want %s, %v", line, want, err)
		}
	}
	if err := s.ends(0); err != nil {
		t.Error(err)
	}
}

// TestSignalIgnoredAtStartReachesTrainer checks that entrain passes on a signal even if it was ignored when
// entrain started, since the trainer may handle it. An ignored SIGTERM starts the grace too.
func TestSignalIgnoredAtStartReachesTrainer(t *testing.T) {
	t.Parallel()
	ignore := func(sig string) []string { return []string{"sh", "-c", `trap "" ` + sig + `; exec "$@"`, "sh"} }
	const handler = `import signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(5))
print('ready', flush=True)
while True: time.sleep(0.05)`
	for _, c := range []struct {
		what   string
		before []string
		flags  []string
		words  []string
		sig    syscall.Signal
		code   int
	}{
		{
			"the trainer handles it", ignore("USR1"), nil,
			[]string{"python3", "-c", handler},
			syscall.SIGUSR1, 5,
		},
		{
			"the trainer ignores SIGTERM too", ignore("TERM"),
			[]string{"--grace", "100ms"},
			[]string{"sh", "-c", "echo ready; exec sleep 600"},
			syscall.SIGTERM, 137,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			cmd, _ := runTrainer(t, c.before, c.flags, c.words...)
			startReady(t, cmd)
			if err := cmd.Process.Signal(c.sig); err != nil {
				t.Fatal(err)
			}
			if got := code(t, cmd); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
		})
	}
}

// TestIgnoredSignalDoesNotChangeStart checks that an ignored signal changes neither the messages about a
// program that cannot start nor the descriptors that a program inherits.
func TestIgnoredSignalDoesNotChangeStart(t *testing.T) {
	t.Parallel()
	ignoring := []string{"sh", "-c", `trap "" USR1; exec "$@"`, "sh"}
	bin := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "interpreter": "#!/no/interpreter\n", "machine": "\x7fELF\x02\x01\x01",
	} {
		if err := os.WriteFile(bin+"/"+name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"empty": 126, "interpreter": 127, "machine": 126} {
		messages := map[string]bool{}
		for _, before := range [][]string{nil, ignoring} {
			cmd, dir := runTrainer(t, before, nil, bin+"/"+name)
			log, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != want {
				t.Errorf("%s after %q: exit code %d, want %d", name, before, got, want)
			}
			messages[string(log)+read(t, dir, "output/failure")] = true
		}
		if len(messages) != 1 {
			t.Errorf("%s: the messages differ: %v", name, messages)
		}
	}
	open3 := `echo three >` + bin + `/3; exec 3<` + bin + `/3; trap "" USR1; exec "$@"`
	cmd, _ := runTrainer(t, []string{"sh", "-c", open3, "sh"}, nil, "sh", "-c", "cat <&3")
	if out, err := cmd.Output(); string(out) != "three\n" {
		t.Errorf("the trainer read %q, %v from the inherited descriptor 3", out, err)
	}
}

// TestProcessThatCannotBeKilledDelaysNothing checks that entrain ends although it may not kill a process that
// the trainer left behind.
func TestProcessThatCannotBeKilledDelaysNothing(t *testing.T) {
	needRoot(t, "to give up CAP_KILL")
	t.Parallel()
	const script = "setpriv --reuid 65534 --clear-groups sleep 60 & " +
		"while ! grep -q '^Uid:.65534' /proc/$!/status; do sleep 0.01; done; exit 4"
	cmd, _ := runTrainer(t, []string{"setpriv", "--bounding-set", "-kill"}, nil, "sh", "-c", script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 4 {
		t.Errorf("exit code %d, want 4", got)
	}
}
