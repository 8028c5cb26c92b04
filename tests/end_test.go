package tests

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runTrainer is entrain run under words that prepare it, such as a shell with a trap.
func runTrainer(t *testing.T, before []string, flags []string, words ...string) (*exec.Cmd, string) {
	t.Helper()
	must(t, "scripts/build")
	dir := tree(t)
	argv := append(append([]string{}, before...), abs(t, "dist/entrain"), "run", "--root", dir, "--args-style", "none")
	argv = append(append(append(argv, flags...), "--"), words...)
	cmd := exec.Command(argv[0], argv[1:]...)
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, dir
}

// startReady starts it, and waits until the trainer says that it is ready.
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

// code waits for the end, for a bounded time.
func code(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// TestReaderThatStops: who does not read stderr any more holds up neither the end nor the failure file.
func TestReaderThatStops(t *testing.T) {
	t.Parallel()
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "head -c 500000 /dev/zero >&2; echo RuntimeError: no luck >&2; exit 3")
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

// TestReaderThatIsGone: a trainer does not notice that nobody reads its stderr, and its last words are kept.
func TestReaderThatIsGone(t *testing.T) {
	t.Parallel()
	cmd, dir := runTrainer(t, nil, nil, "sh", "-c", "head -c 4000000 /dev/zero >&2 || exit 9; echo RuntimeError: no luck >&2; exit 3")
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

// TestSecondTerm: the grace runs from the first SIGTERM; a platform that keeps sending them does not put off the end.
func TestSecondTerm(t *testing.T) {
	t.Parallel()
	cmd, _ := runTrainer(t, nil, []string{"--grace", "500ms"}, "sh", "-c", `trap "" TERM; echo ready; exec sleep 600`)
	startReady(t, cmd)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	ended := make(chan int)
	go func() { ended <- code(t, cmd) }()
	for {
		select {
		case got := <-ended: // -1 where it had to be killed
			if got != 137 {
				t.Errorf("exit code %d, want 137", got)
			}
			return
		case <-tick.C:
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}

// TestBrokenPipe: a SIGPIPE that is sent to entrain is not the trainer's.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	helper, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, program: initProgram{"entrain run", entrainRun}, dir: t.TempDir(), helper: helper}
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

// TestIgnored: what was ignored when entrain was started still reaches the trainer, which may have its own mind, and
// SIGTERM still starts the grace.
func TestIgnored(t *testing.T) {
	t.Parallel()
	ignore := func(sig string) []string { return []string{"sh", "-c", `trap "" ` + sig + `; exec "$@"`, "sh"} }
	const handler = "import signal, sys, time\nsignal.signal(signal.SIGUSR1, lambda *_: sys.exit(5))\nprint('ready', flush=True)\ntime.sleep(600)"
	for _, c := range []struct {
		what   string
		before []string
		flags  []string
		words  []string
		sig    syscall.Signal
		code   int
	}{
		{"handled by the trainer", ignore("USR1"), nil, []string{"python3", "-c", handler}, syscall.SIGUSR1, 5},
		{"TERM, by the trainer too", ignore("TERM"), []string{"--grace", "100ms"}, []string{"sh", "-c", "echo ready; exec sleep 600"}, syscall.SIGTERM, 137},
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

// TestStartFailureWhileIgnoring: that a signal was ignored makes no difference to what is said of a program that cannot be
// started, nor to what it inherits.
func TestStartFailureWhileIgnoring(t *testing.T) {
	t.Parallel()
	ignoring := []string{"sh", "-c", `trap "" USR1; exec "$@"`, "sh"}
	bin := t.TempDir()
	for name, text := range map[string]string{"nothing": "", "interpreter": "#!/no/interpreter\n", "machine": "\x7fELF\x02\x01\x01"} {
		if err := os.WriteFile(bin+"/"+name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"nothing": 126, "interpreter": 127, "machine": 126} {
		said := map[string]bool{}
		for _, before := range [][]string{nil, ignoring} {
			cmd, dir := runTrainer(t, before, nil, bin+"/"+name)
			log, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != want {
				t.Errorf("%s after %q: exit code %d, want %d", name, before, got, want)
			}
			said[string(log)+read(t, dir, "output/failure")] = true
		}
		if len(said) != 1 {
			t.Errorf("%s: it is said in two ways: %v", name, said)
		}
	}
	cmd, _ := runTrainer(t, []string{"sh", "-c", `echo three >` + bin + `/3; exec 3<` + bin + `/3; trap "" USR1; exec "$@"`, "sh"}, nil, "sh", "-c", "cat <&3")
	if out, err := cmd.Output(); string(out) != "three\n" { // the log is not of it
		t.Errorf("descriptor 3 was inherited and holds %q, %v", out, err)
	}
}

// TestStragglerThatStays: a process that may not be killed does not keep the end waiting.
func TestStragglerThatStays(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give up CAP_KILL")
	}
	t.Parallel()
	cmd, _ := runTrainer(t, []string{"setpriv", "--bounding-set", "-kill"}, nil,
		"sh", "-c", "setpriv --reuid 65534 --clear-groups sleep 60 & while ! grep -q '^Uid:.65534' /proc/$!/status; do sleep 0.01; done; exit 4")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd); got != 4 {
		t.Errorf("exit code %d, want 4", got)
	}
}
