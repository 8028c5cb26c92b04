package tests

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// console is a program that runs on a terminal of its own, as under docker run -it.
type console struct {
	master *os.File
	cmd    *exec.Cmd
	screen text
}

// console starts the words of a trainer under the init, on a terminal.
func (b *bench) console(words ...string) (*console, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	argv := b.program.argv(b.t, b.dir, nil, words...)
	if b.pid1 {
		argv = append([]string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}, argv...)
	}
	c := &console{master: master, cmd: exec.Command(argv[0], argv[1:]...)}
	c.cmd.Dir, c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = b.dir, slave, slave, slave
	c.cmd.Env = append(os.Environ(), "PS1=prompt> ", "TERM=dumb")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = master.Close() })
	go func() { _, _ = io.Copy(&c.screen, master) }() // ends with EIO when no process has the terminal open
	return c, nil
}

// shows returns a condition for until: the screen shows a text.
func (c *console) shows(text string) func() bool {
	return func() bool {
		return strings.Contains(strings.ReplaceAll(c.screen.String(), "\r", ""), text)
	}
}

// typed types keys.
func (c *console) typed(keys string) error {
	_, err := c.master.WriteString(keys)
	return err
}

// ends waits for the end of the program and compares the exit code.
func (c *console) ends(code int) error {
	done := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(waitLimit):
		return fmt.Errorf("the program has not ended within %s; the screen: %q", waitLimit, c.screen.String())
	}
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	got := status.ExitStatus()
	if status.Signaled() {
		got = 128 + int(status.Signal())
	}
	if got != code {
		return fmt.Errorf("exit code %d, want %d; the screen: %q", got, code, c.screen.String())
	}
	return nil
}

// step is a line of keys, and a text that the screen shows some time after they are typed.
type step struct{ keys, shows string }

// shown types the keys of each step and waits for its text.
func (c *console) shown(steps []step) error {
	for _, s := range steps {
		what := fmt.Sprintf("the screen shows %q", s.shows)
		if err := errors.Join(c.typed(s.keys), until(what, c.shows(s.shows))); err != nil {
			return fmt.Errorf("%w; the screen: %q", err, c.screen.String())
		}
	}
	return nil
}

// pythonOnCont is a command that prints AT WORK, and GOING ON after each SIGCONT. A loop of a shell would not
// do: if Ctrl-Z stops dash between vfork and exec, bash never notices.
const pythonOnCont = `python3 -c 'import signal; ` +
	`signal.signal(18, lambda *_: print("going on".upper(), flush=True)); ` +
	`print("at work".upper(), flush=True); [signal.pause() for _ in range(9)]'`

// jobControl are the steps in bash that stop, continue and interrupt a command that prints as pythonOnCont
// does.
func jobControl(command string) []step {
	return []step{
		{command + "\n", "AT WORK"},
		{"\x1a", "Stopped"}, // Ctrl-Z
		{"fg\n", "GOING ON"},
		{"\x03", "^C"}, // Ctrl-C
		{"exit 9\n", ""},
	}
}

// noInit runs the words of a trainer without an init.
func noInit() initProgram {
	argv := func(_ *testing.T, _ string, _ []string, words ...string) []string { return words }
	return initProgram{"no init", argv}
}

// TestCtrlZStopsWholePipeline checks that Ctrl-Z stops the pipeline or script that entrain is a part of, so
// that the shell shows its prompt, and that fg continues it.
func TestCtrlZStopsWholePipeline(t *testing.T) {
	needProgram(t, "python3", "python3")
	needHelper(t)
	run := strings.Join(entrainRun(t, t.TempDir(), nil), " ") + " "
	for what, command := range map[string]string{
		"pipeline": run + pythonOnCont + " | cat",
		"script":   `sh -c "` + run + `\"\$@\"; :" sh ` + pythonOnCont,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			bash, err := (&bench{t: t, program: noInit(), dir: t.TempDir()}).console("bash", "--norc", "-i")
			if err != nil {
				t.Fatal(err)
			}
			err = bash.shown(append([]step{{"", "prompt> "}}, jobControl(command)...))
			if err := errors.Join(err, bash.ends(9)); err != nil {
				t.Error(err)
			}
		})
	}
}

// terminal runs terminalSession on this machine.
func terminal(b *bench) error {
	needProgram(b.t, "python3", "python3")
	return terminalSession(b)
}

// terminalSession checks that typed lines reach the trainer, that bash as the trainer has job control, and
// that Ctrl-C ends a trainer with 130.
func terminalSession(b *bench) error {
	tac, err := b.console("sh", "-c", "echo started; exec tac")
	if err != nil {
		return err
	}
	err = errors.Join(
		until("tac has started", tac.shows("started")),
		tac.typed("one\ntwo\n\x04"),
		until("tac has answered", tac.shows("two\none\n")),
		tac.ends(0))
	if err != nil {
		return err
	}
	bash, err := b.console("bash", "--norc", "-i")
	if err != nil {
		return err
	}
	err = bash.shown(append([]step{
		{"", "prompt> "},
		{"case $- in *m*) echo job control is on;; esac | tr a-z A-Z\n", "JOB CONTROL IS ON"},
	}, jobControl(pythonOnCont)...))
	if err := errors.Join(err, bash.ends(9)); err != nil {
		return err
	}
	sleep, err := b.console("sh", "-c", "echo started; exec sleep 600")
	if err != nil {
		return err
	}
	return errors.Join(
		until("sleep has started", sleep.shows("started")), sleep.typed("\x03"), sleep.ends(130))
}
