package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// waitLimit is how long a test waits for something before it fails. A test that passes never takes as long.
var waitLimit = 20 * time.Second

// initProgram is a program that starts a trainer: entrain, or one that entrain is compared with.
type initProgram struct {
	name string
	// argv returns the command line for the trainer's words. The flags are those of entrain run.
	argv func(t *testing.T, dir string, flags []string, words ...string) []string
}

// entrainRun returns the command line of entrain run, as it is shipped.
func entrainRun(t *testing.T, dir string, flags []string, words ...string) []string {
	t.Helper()
	return runOf(t, abs(t, "dist/entrain"), dir, flags, words)
}

// runOf returns the command line of entrain run of a build. It makes a contract in dir/ml if there is none.
func runOf(t *testing.T, binary, dir string, flags, words []string) []string {
	t.Helper()
	root := filepath.Join(dir, "ml")
	if _, err := os.Stat(root); err != nil {
		must(t, "dist/entrain", "scaffold", root)
		// Without a model, entrain logs a warning at the end of a successful run.
		if err := os.WriteFile(filepath.Join(root, "model/model"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	argv := []string{binary, "run", "--root", root, "--args-style", "none"}
	return slices.Concat(argv, flags, []string{"--"}, words)
}

// otherInits returns the programs that entrain is compared with. They ignore the flags that they do not have.
func otherInits() []initProgram {
	return []initProgram{
		{"tini", func(_ *testing.T, _ string, flags []string, words ...string) []string {
			argv := []string{"tini", "-s"}
			if slices.Contains(flags, "--signal-group") {
				argv = append(argv, "-g")
			}
			if slices.Contains(flags, "--parent-death-signal") {
				argv = append(argv, "-p", "SIGUSR1")
			}
			return append(append(argv, "--"), words...)
		}},
		{"dumb-init", func(_ *testing.T, _ string, flags []string, words ...string) []string {
			argv := []string{"dumb-init"}
			if slices.Contains(flags, "--signal-group=false") {
				argv = append(argv, "--single-child")
			}
			return append(append(argv, "--"), words...)
		}},
		{"sh -c", func(_ *testing.T, _ string, _ []string, words ...string) []string {
			quoted := make([]string, len(words))
			for i, w := range words {
				quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
			}
			return []string{"sh", "-c", strings.Join(quoted, " ") + "; exit $?"}
		}},
	}
}

// abs returns the absolute path of a file of the repository.
func abs(t *testing.T, elem ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{top}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// binaries builds dist/entrain as it is shipped, and the helper. It returns the path of the helper.
var binaries = sync.OnceValues(func() (string, error) {
	helper, err := filepath.Abs(filepath.Join(top, "dist/init-helper"))
	if err != nil {
		return "", err
	}
	for _, argv := range [][]string{
		{"scripts/build"},
		{"gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-o", helper, "tests/testdata/init/helper.c"},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", argv, err, out)
		}
	}
	return helper, nil
})

// needHelper skips a test if there is no C compiler. Otherwise it returns the path of the helper.
func needHelper(t *testing.T) string {
	t.Helper()
	needProgram(t, "gcc", "gcc libc6-dev")
	helper, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return helper
}

// bench is where one case runs: it starts trainers under an init, which is PID 1 or an ordinary process.
type bench struct {
	t       *testing.T
	program initProgram
	pid1    bool
	dir     string // an empty directory, the working directory of the init
	helper  string
}

// started is an init that runs.
type started struct {
	b      *bench
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr *text
	pid    int // the process ID of the init outside its namespace
}

// start starts the words of a trainer under the init.
func (b *bench) start(flags []string, words ...string) (*started, error) {
	return b.startUnder(nil, flags, words...)
}

// startUnder does the same under the words of a prefix, such as the helper's inherit. The prefix starts the
// init.
func (b *bench) startUnder(prefix, flags []string, words ...string) (*started, error) {
	argv := slices.Concat(prefix, b.program.argv(b.t, b.dir, flags, words...))
	if b.pid1 {
		argv = append([]string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}, argv...)
	}
	s := &started{b: b, cmd: exec.Command(argv[0], argv[1:]...), stderr: &text{}}
	s.cmd.Dir = b.dir
	s.cmd.Stderr = s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { _ = s.cmd.Process.Kill(); _, _ = s.cmd.Process.Wait() })
	if s.pid = s.cmd.Process.Pid; b.pid1 {
		s.pid, err = firstChild(s.pid)
	}
	return s, err
}

// firstChild returns the process that unshare started, or unshare itself if that process has ended already.
func firstChild(pid int) (int, error) {
	path := fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)
	for deadline := time.Now().Add(waitLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		data, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		if fields := strings.Fields(string(data)); len(fields) > 0 {
			return strconv.Atoi(fields[0])
		}
		if stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(stat), ") Z ") {
			return pid, nil
		}
	}
	return 0, errors.New("unshare started nothing")
}

// line returns the next line of stdout, without its end. It fails if there is none within waitLimit.
func (s *started) line() (string, error) {
	type result struct {
		text string
		err  error
	}
	lines := make(chan result, 1)
	go func() {
		text, err := s.out.ReadString('\n')
		lines <- result{strings.TrimSuffix(text, "\n"), err}
	}()
	select {
	case r := <-lines:
		return r.text, r.err
	case <-time.After(waitLimit):
		return "", fmt.Errorf("no line of stdout within %s", waitLimit)
	}
}

// ready waits until the helper says that it is ready.
func (s *started) ready() error {
	line, err := s.line()
	if err == nil && line != "ready" {
		err = fmt.Errorf("the helper says %q, want ready", line)
	}
	if err != nil {
		return fmt.Errorf("%w; stderr %s", err, s.stderr)
	}
	return nil
}

// signal sends a signal to the init.
func (s *started) signal(sig syscall.Signal) error { return syscall.Kill(s.pid, sig) }

// exit waits for the end of the init and returns the exit code that the user of a container would see.
func (s *started) exit() (int, error) {
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, s.out)
		_ = s.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(waitLimit):
		return -1, fmt.Errorf("the init has not ended within %s", waitLimit)
	}
	status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// want runs the words of a trainer to their end and compares the exit code.
func (b *bench) want(code int, flags []string, words ...string) error {
	s, err := b.start(flags, words...)
	if err != nil {
		return err
	}
	got, err := s.exit()
	if err == nil && got != code {
		err = fmt.Errorf("%v: exit code %d, want %d; stderr %s", words, got, code, s.stderr)
	}
	return err
}

// file returns the trimmed text of a file in the case's directory, or "" if there is none.
func (b *bench) file(name string) string {
	data, _ := os.ReadFile(filepath.Join(b.dir, name))
	return strings.TrimSpace(string(data))
}

// gone waits until no helper of the case is left, in any namespace. After waitLimit it kills those and fails.
func (b *bench) gone() error {
	for deadline := time.Now().Add(waitLimit); ; time.Sleep(2 * time.Millisecond) {
		left := b.left()
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			for _, pid := range left {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			return fmt.Errorf("%d processes are left after %s", len(left), waitLimit)
		}
	}
}

// left returns the processes that run the helper in the case's directory.
func (b *bench) left() []int {
	var pids []int
	entries, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range entries {
		dir, err := os.Readlink(link)
		exe, _ := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
		if err == nil && dir == b.dir && exe == b.helper {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// zombies returns the number of dead children of the init that nobody has reaped.
func (s *started) zombies() int {
	count := 0
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(data), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(s.pid) {
			count++
		}
	}
	return count
}

// until waits until a condition holds. It returns an error after waitLimit.
func until(what string, holds func() bool) error {
	for deadline := time.Now().Add(waitLimit); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("did not come true within %s: %s", waitLimit, what)
		}
	}
	return nil
}

// TestInit runs every case as an ordinary process and as PID 1.
func TestInit(t *testing.T) {
	helper := needHelper(t)
	for _, c := range initCases() {
		for _, pid1 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%02d %s/PID 1 %v", c.number, c.what, pid1), func(t *testing.T) {
				t.Parallel()
				if pid1 {
					needRoot(t, "for a PID namespace")
				}
				b := &bench{t: t, pid1: pid1, dir: t.TempDir(), helper: helper}
				b.program = initProgram{"entrain run", entrainRun}
				if err := c.run(b); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestInitTable prints a table that compares inits as PID 1. It never fails.
func TestInitTable(t *testing.T) {
	if os.Getenv("INIT_TABLE") == "" { // not ENTRAIN_…: entrain warns of a variable that it does not know
		t.Skip("scripts/bench runs it, with INIT_TABLE=1")
	}
	helper := needHelper(t)
	waitLimit = 3 * time.Second // a program that takes longer has failed the case
	programs := append([]initProgram{{"entrain run", entrainRun}}, otherInits()...)
	fmt.Print("| case |")
	for _, p := range programs {
		fmt.Printf(" %s |", p.name)
	}
	fmt.Println("\n|---|---|---|---|---|")
	for _, c := range initCases() {
		fmt.Printf("| %d %s |", c.number, c.what)
		for i, p := range programs {
			outcome := "–"
			if i == 0 || !c.own {
				b := &bench{t: t, program: p, pid1: true, dir: t.TempDir(), helper: helper}
				if outcome = "yes"; c.run(b) != nil {
					outcome = "no"
				}
			}
			fmt.Printf(" %s |", outcome)
		}
		fmt.Println()
	}
}
