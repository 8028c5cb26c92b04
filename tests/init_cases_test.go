package tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// initCase is one of the 21 cases that every init must pass. They come from the tests of, or complaints
// about, tini (t), dumb-init (d), prow's entrypoint (p), tekton's (k) and argo's (a). Those with (x) are
// entrain's own.
type initCase struct {
	number int
	what   string
	run    func(b *bench) error
	own    bool // the case makes sense for entrain alone
}

// inheritanceCase passes only in a build with our own entry point.
const inheritanceCase = "dispositions and mask are inherited (t)"

// everySignalCase passes only where real-time signals arrive, which they do not under qemu.
const everySignalCase = "every signal once and in order (d)"

func initCases() []initCase {
	return []initCase{
		{1, "exit codes 0 to 255 (t d)", exitCodes, false},
		{2, "death by a signal is 128+n (d x)", deaths, false},
		{3, "what cannot start is 126 or 127 (t d)", startFailures, false},
		{4, everySignalCase, everySignal, false},
		{5, "100 orphans leave no zombie (t)", orphans, false},
		{5, "10,000 children, no status lost (x)", statuses, false},
		{6, "a group signal ends a grandchild (t)", groupSignal, false},
		{7, "single mode leaves grandchildren alone (d)", singleSignal, false},
		{8, "a child left behind gets SIGTERM (d)", leftBehind, false},
		{9, inheritanceCase, inheritance, false},
		{10, "the parent's end is told, not as PID 1 (t)", parentDeath, false},
		{11, "a terminal works, with job control (d t)", terminal, false},
		{12, "SIGTSTP stops both, SIGCONT continues both (d)", stopAndContinue, false},
		{13, "the trainer keeps its directory, the init is at / (d)", directory, false},
		{14, "a bad flag is an error, help is none (t d)", usage, false},
		{15, "a stop that is ignored ends in SIGKILL (p x)", ignoredStop, false},
		{16, "a stop that is honoured keeps its exit code (p)", honouredStop, false},
		{17, "a report that cannot be written is no success (p)", unwritableReport, true},
		{18, "a grandchild that holds stdout holds nobody back (a)", heldStdout, false},
		{19, "no byte of the output is lost (k a)", wholeOutput, false},
		{20, "waiting: late, cancelled, too late (k)", waiting, true},
		{21, "a second SIGTERM is passed on (x)", secondTerm, false},
		{21, "a stopped trainer ends on SIGTERM (x)", stoppedTrainer, false},
		{21, "a trainer that job control has stopped ends on SIGTERM (x)", ctrlZThenTerm, false},
		{21, "what escapes into a session of its own ends too (x)", escaped, false},
		{21, "the trainer's own failure file is kept (x)", ownFailureFile, true},
		{21, "a closed stdout harms nobody (x)", closedStdout, false},
		{21, "a script without #! is 126 (x)", noShebang, false},
	}
}

func exitCodes(b *bench) error {
	var errs []error
	for code := range 256 {
		if code > 10 && code < 250 && code%40 != 0 && code != 126 && code != 127 {
			continue // all 256 would prove no more
		}
		errs = append(errs, b.want(code, nil, "sh", "-c", "exit "+strconv.Itoa(code)))
	}
	return errors.Join(errs...)
}

func deaths(b *bench) error {
	var errs []error
	for _, sig := range []int{1, 3, 9, 11, 15} {
		errs = append(errs, b.want(128+sig, nil, b.helper, "die", strconv.Itoa(sig)))
	}
	return errors.Join(append(errs, b.want(134, nil, b.helper, "abort"))...)
}

func startFailures(b *bench) error {
	for name, text := range map[string]string{"plain": "#!/bin/sh\n", "script": "#!/no/interpreter\n"} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(b.dir, "script"), 0o755); err != nil {
		return err
	}
	failure := filepath.Join(b.dir, "ml/output/failure")
	var errs []error
	codes := map[string]int{"zzzz": 127, "./zzzz": 127, "./plain": 126, "/": 126, "./script": 127}
	for word, code := range codes {
		errs = append(errs, b.want(code, nil, word))
		text, err := os.ReadFile(failure)
		isNamed := err == nil && strings.HasPrefix(string(text), word+": ")
		if b.program.name == "entrain run" && !isNamed {
			errs = append(errs, fmt.Errorf("the failure file does not name %s: %q", word, text))
		}
		_ = os.Remove(failure)
	}
	return errors.Join(errs...)
}

func everySignal(b *bench) error {
	var all []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case 32, 33, 34: // the C library and Go use them
		case syscall.SIGKILL, syscall.SIGSTOP: // nobody can catch them
		case syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGURG, syscall.SIGPROF: // entrain uses them
		case syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU: // another case sends them
		default:
			all = append(all, sig)
		}
	}
	s, err := b.start(nil, b.helper, "signals", strconv.Itoa(2*len(all)))
	if err != nil {
		return err
	}
	if err := s.ready(); err != nil {
		return err
	}
	got := func(sig syscall.Signal) error {
		if line, err := s.line(); err != nil || line != strconv.Itoa(int(sig)) {
			return fmt.Errorf("after signal %d the trainer got %q, %w", sig, line, err)
		}
		return nil
	}
	for _, sig := range all { // one by one
		if err := errors.Join(s.signal(sig), got(sig)); err != nil {
			return err
		}
	}
	// Then all at once. The kernel delivers them to several threads, and faults first. Each must come once.
	var want, lines []string
	for _, sig := range all {
		want = append(want, strconv.Itoa(int(sig)))
		if err := s.signal(sig); err != nil {
			return err
		}
	}
	for range all {
		line, err := s.line()
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	slices.Sort(want)
	if slices.Sort(lines); !slices.Equal(want, lines) {
		return fmt.Errorf("of the signals %v at once the trainer got %v", want, lines)
	}
	return s.ends(0)
}

// ends waits for the end, and says whether the exit code is another.
func (s *started) ends(code int) error {
	got, err := s.exit()
	if err == nil && got != code {
		err = fmt.Errorf("exit code %d, want %d; stderr %s", got, code, s.stderr)
	}
	return err
}

// stop sends a SIGTERM, waits for the end, and says whether the exit code is another.
func (s *started) stop(code int) error { return errors.Join(s.signal(syscall.SIGTERM), s.ends(code)) }

// startReady starts a trainer and waits until it is ready.
func (b *bench) startReady(flags []string, words ...string) (*started, error) {
	s, err := b.start(flags, words...)
	if err != nil {
		return nil, err
	}
	return s, s.ready()
}

func orphans(b *bench) error {
	s, err := b.startReady(nil, b.helper, "orphans-stay", "100")
	if err != nil {
		return err
	}
	return errors.Join(
		until("every orphan is reaped", func() bool { return s.zombies() == 0 && len(b.left()) == 1 }),
		s.stop(0), b.gone())
}

func statuses(b *bench) error { return b.want(0, nil, b.helper, "statuses", "10000") }

func groupSignal(b *bench) error {
	s, err := b.startReady([]string{"--signal-group"}, b.helper, "wait-child", "5")
	if err != nil {
		return err
	}
	return errors.Join(s.signal(syscall.SIGUSR1), s.ends(5))
}

func singleSignal(b *bench) error {
	var errs []error
	for _, group := range []bool{false, true} {
		flag := "--signal-group"
		if !group {
			flag += "=false"
		}
		s, err := b.startReady([]string{flag}, b.helper, "tree-signals", "2")
		if err != nil {
			return err
		}
		line, err := errorsOr(s.signal(syscall.SIGUSR1), s.line)
		errs = append(errs, err)
		if line != "10" {
			errs = append(errs, fmt.Errorf("the trainer got %q, want 10", line))
		}
		if group {
			isAlone := func() bool { return len(b.left()) == 1 }
			errs = append(errs, until("the group's signal ends the grandchild", isAlone))
		} else if n := len(b.left()); n != 2 {
			errs = append(errs, fmt.Errorf("%d processes live, want the trainer and its child", n))
		}
		errs = append(errs, s.signal(syscall.SIGUSR2), s.ends(0), b.gone())
	}
	return errors.Join(errs...)
}

// errorsOr gives the error, or what next gives where there is none.
func errorsOr(err error, next func() (string, error)) (string, error) {
	if err != nil {
		return "", err
	}
	return next()
}

func leftBehind(b *bench) error {
	if err := b.want(0, nil, b.helper, "stray", "term"); err != nil {
		return err
	}
	if told := b.file("told"); told != "terminated" {
		return fmt.Errorf("the child that was left wrote %q, want terminated", told)
	}
	return errors.Join(b.gone(), b.want(0, nil, b.helper, "stray", "stubborn"), b.gone())
}

func inheritance(b *bench) error {
	s, err := b.startUnder([]string{b.helper, "inherit"}, nil, b.helper, "report")
	if err != nil {
		return err
	}
	// The output of the helper without any init.
	bare := exec.Command(b.helper, "inherit", b.helper, "report")
	bare.Dir = b.dir
	want, err := bare.Output()
	const start = "ignored 2 11 13 22\nblocked 4 15 21\nslack 70000\nnofile "
	if err != nil || !strings.HasPrefix(string(want), start) {
		return fmt.Errorf("the helper itself shows %q, %w", want, err)
	}
	var errs []error
	for line := range strings.Lines(string(want)) {
		if got, err := s.line(); err != nil || got != strings.TrimSpace(line) {
			errs = append(errs, fmt.Errorf("%q, %w, want %q", got, err, line))
		}
	}
	return errors.Join(append(errs, s.ends(0))...)
}

func parentDeath(b *bench) error {
	b.pid1 = false // the kernel ends a namespace together with its PID 1: no process is left to get the signal
	flags := []string{"--parent-death-signal", "USR1"}
	s, err := b.startUnder([]string{b.helper, "parent"}, flags, b.helper, "signals", "1")
	if err != nil {
		return err
	}
	if err := s.ready(); err != nil {
		return err
	}
	line, err := errorsOr(syscall.Kill(s.pid, syscall.SIGKILL), s.line)
	if err == nil && line != "10" {
		err = fmt.Errorf("the trainer got %q, want 10", line)
	}
	return errors.Join(err, b.gone())
}

func stopAndContinue(b *bench) error {
	s, err := b.startReady(nil, b.helper, "await-term", "0")
	if err != nil {
		return err
	}
	state := func(want string, pids ...int) func() bool {
		return func() bool {
			for _, pid := range pids {
				stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
				_, rest, _ := strings.Cut(string(stat), ") ")
				if !strings.HasPrefix(rest, want) {
					return false
				}
			}
			return true
		}
	}
	pids := b.left()
	if !b.pid1 { // the kernel does not stop PID 1
		pids = append(pids, s.pid)
	}
	return errors.Join(
		s.signal(syscall.SIGTSTP), until("both are stopped", state("T", pids...)),
		s.signal(syscall.SIGCONT), until("both run", state("S", pids...)),
		s.stop(0))
}

func directory(b *bench) error {
	s, err := b.startReady(nil, b.helper, "await-term", "0")
	if err != nil {
		return err
	}
	err = until("the init is at /", func() bool {
		dir, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", s.pid))
		return dir == "/"
	})
	if len(b.left()) != 1 { // left finds the processes in the directory of the case
		err = errors.Join(err, errors.New("the trainer is not in the directory it was started in"))
	}
	return errors.Join(err, s.stop(0))
}

func usage(b *bench) error {
	argv := b.program.argv(b.t, b.dir, nil, "true")
	outcome := func(words ...string) (int, string) {
		cmd := exec.Command(argv[0], append(slices.Clone(words), "x")[:len(words)]...)
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	if code, out := outcome("--frobnicate"); code == 0 || out == "" {
		return fmt.Errorf("a bad flag gives %d and %q", code, out)
	}
	if code, out := outcome("--help"); code != 0 && !strings.Contains(out, "sage") {
		return fmt.Errorf("help gives %d and %q", code, out)
	}
	return nil
}

func ignoredStop(b *bench) error {
	s, err := b.startReady([]string{"--grace", "300ms"}, b.helper, "tree-stubborn")
	if err != nil {
		return err
	}
	return errors.Join(s.stop(137), b.gone())
}

func honouredStop(b *bench) error {
	for _, code := range []int{0, 3} {
		s, err := b.startReady(nil, b.helper, "await-term", strconv.Itoa(code))
		if err != nil {
			return err
		}
		if err := s.stop(code); err != nil {
			return err
		}
	}
	return nil
}

func unwritableReport(b *bench) error {
	b.program.argv(b.t, b.dir, nil)
	output := filepath.Join(b.dir, "ml/output")
	if err := errors.Join(os.RemoveAll(output), os.WriteFile(output, nil, 0o644)); err != nil {
		return err
	}
	s, err := b.start(nil, "sh", "-c", "exit 5")
	if err != nil {
		return err
	}
	err = s.ends(5)
	if !strings.Contains(s.stderr.String(), "cannot write the failure file ") {
		err = errors.Join(err, fmt.Errorf("the log does not say that the failure file is lost: %s", s.stderr))
	}
	s, startErr := b.start(nil, "zzzz")
	if startErr != nil {
		return startErr
	}
	err = errors.Join(err, s.ends(127))
	if !strings.Contains(s.stderr.String(), "zzzz") {
		err = errors.Join(err, fmt.Errorf("the log does not name the program that could not start: %s", s.stderr))
	}
	return err
}

func heldStdout(b *bench) error {
	return errors.Join(b.want(4, nil, "sh", "-c", b.helper+" stray quiet; exit 4"), b.gone())
}

// wholeOutput writes stdout and stderr into one file. It also writes stderr into a pipe that is read only
// after the program has ended.
func wholeOutput(b *bench) error {
	const lines = 2000
	const loop = "i=0; while [ $i -lt %d ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf 'no end'"
	script := fmt.Sprintf(loop, lines)
	path := filepath.Join(b.dir, "both")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	argv := b.program.argv(b.t, b.dir, nil, "sh", "-c", script)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Run(); err != nil {
		return err
	}
	text := b.file("both") + "\n"
	for _, stream := range []string{"out", "err"} {
		at := 0
		for i := range lines {
			next := strings.Index(text[at:], fmt.Sprintf("%s %d\n", stream, i))
			if next < 0 {
				return fmt.Errorf("%s %d is lost or out of order", stream, i)
			}
			at += next
		}
	}
	if !strings.Contains(text, "no end") {
		return errors.New("the last line, which has no newline, is lost")
	}
	return lateReader(b)
}

// lateReader reads stderr only after the program has ended.
func lateReader(b *bench) error {
	const size = 40000 // bytes; they fit into a pipe
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	argv := b.program.argv(b.t, b.dir, nil, "sh", "-c", fmt.Sprintf("head -c %d /dev/zero >&2", size))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = w
	err = cmd.Run()
	_ = w.Close()
	buffer := make([]byte, 2*size)
	n := 0
	for {
		m, readErr := r.Read(buffer[n:])
		if n += m; readErr != nil {
			break
		}
	}
	if n != size {
		err = errors.Join(err, fmt.Errorf("%d bytes of stderr, want %d", n, size))
	}
	return err
}

func secondTerm(b *bench) error {
	s, err := b.startReady(nil, b.helper, "signals", "2")
	if err != nil {
		return err
	}
	for range 2 {
		line, err := errorsOr(s.signal(syscall.SIGTERM), s.line)
		if err != nil || line != "15" {
			return fmt.Errorf("the trainer got %q, %w", line, err)
		}
	}
	return s.ends(0)
}

func stoppedTrainer(b *bench) error { return stoppedBy(b, syscall.SIGSTOP) }

// ctrlZThenTerm does what docker stop does after Ctrl-Z in docker run -it. An init that is not PID 1 stops
// too. It is continued first, as a shell would do.
func ctrlZThenTerm(b *bench) error {
	var errs []error
	for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
		errs = append(errs, stoppedBy(b, sig))
	}
	return errors.Join(errs...)
}

// stoppedBy stops the trainer by a signal, and then sends SIGTERM to the init.
func stoppedBy(b *bench, sig syscall.Signal) error {
	s, err := b.startReady(nil, b.helper, "await-term", "6")
	if err != nil {
		return err
	}
	trainer := b.left()
	if len(trainer) != 1 {
		return fmt.Errorf("%d trainers", len(trainer))
	}
	err = errors.Join(syscall.Kill(trainer[0], sig), until("it is stopped", isStopped(trainer[0])))
	if err == nil && sig != syscall.SIGSTOP && !b.pid1 {
		err = until("its init is stopped too", isStopped(s.pid))
		err = errors.Join(err, s.signal(syscall.SIGTERM), s.signal(syscall.SIGCONT))
	}
	return errors.Join(err, s.stop(6))
}

func isStopped(pid int) func() bool {
	return func() bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return strings.Contains(string(stat), ") T ")
	}
}

func escaped(b *bench) error {
	s, err := b.startReady([]string{"--grace", "300ms"}, b.helper, "stray-wait", "session")
	if err != nil {
		return err
	}
	return errors.Join(s.stop(137), b.gone())
}

func ownFailureFile(b *bench) error {
	err := b.want(3, nil, "sh", "-c", `mkdir -p ml/output; echo "my own words" > ml/output/failure; exit 3`)
	if text := b.file("ml/output/failure"); text != "my own words" {
		err = errors.Join(err, fmt.Errorf("the failure file is %q", text))
	}
	return err
}

// closedStdout has no reader for the output. The trainer ignores SIGPIPE and goes on.
func closedStdout(b *bench) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	_ = r.Close()
	argv := b.program.argv(b.t, b.dir, nil, "sh", "-c", `trap "" PIPE
		i=0; while [ $i -lt 100 ]; do echo x; echo y >&2; i=$((i+1)); done 2>/dev/null
		echo y >&2; echo done > done; exit 0`)
	if b.pid1 {
		argv = append([]string{"unshare", "--pid", "--fork", "--mount-proc"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, w, w
	err = cmd.Run()
	_ = w.Close()
	if b.file("done") != "done" {
		err = errors.Join(err, errors.New("the trainer did not finish"))
	}
	return err
}

func noShebang(b *bench) error {
	if err := os.WriteFile(filepath.Join(b.dir, "script"), []byte("exit 0\n"), 0o755); err != nil {
		return err
	}
	s, err := b.start(nil, "./script")
	if err != nil {
		return err
	}
	code, err := s.exit()
	if err == nil && code != 0 && code != 126 {
		err = fmt.Errorf("exit code %d, want it to run, or 126", code)
	}
	return err
}

// waiting waits for a host whose name does not resolve until the deadline, until a stop, and until the name
// appears.
func waiting(b *bench) error {
	b.program.argv(b.t, b.dir, nil)
	resource := `{"current_host":"algo-1","hosts":["algo-1","algo-2.invalid"]}`
	config := filepath.Join(b.dir, "ml/input/config/resourceconfig.json")
	if err := os.WriteFile(config, []byte(resource), 0o644); err != nil {
		return err
	}
	if err := b.want(69, []string{"--rendezvous", "off", "--wait-timeout", "100ms"}, "true"); err != nil {
		return err
	}
	s, err := b.start([]string{"--rendezvous", "off"}, "touch", "started")
	if err != nil {
		return err
	}
	if err := errors.Join(s.waitsFor("2 of 2"), s.stop(143)); err != nil {
		return err
	}
	if os.Getuid() != 0 {
		b.t.Log("not tried: a host that is late; a hosts file of our own needs root for a mount namespace")
		return nil
	}
	hosts := filepath.Join(b.dir, "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 algo-1\n"), 0o644); err != nil {
		return err
	}
	mount := []string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, hosts}
	s, err = b.startUnder(mount, []string{"--rendezvous", "off"}, "true")
	if err != nil {
		return err
	}
	err = s.waitsFor("1 of 2")
	both := []byte("127.0.0.1 algo-1\n127.0.0.2 algo-2.invalid\n")
	return errors.Join(err, os.WriteFile(hosts, both, 0o644), s.ends(0))
}

// waitsFor waits until the log says how many hosts are missing.
func (s *started) waitsFor(hosts string) error {
	return until("it says that it waits for "+hosts, func() bool {
		return strings.Contains(s.stderr.String(), "still waiting for "+hosts)
	})
}
