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

// console is a program on a terminal of its own, as under docker run -it.
type console struct {
	master *os.File
	cmd    *exec.Cmd
	screen text
}

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
	go func() { _, _ = io.Copy(&c.screen, master) }() // until EIO: the terminal's last user is gone
	return c, nil
}

func (c *console) shows(text string) func() bool {
	return func() bool {
		return strings.Contains(strings.ReplaceAll(c.screen.String(), "\r", ""), text)
	}
}

func (c *console) typed(keys string) error {
	_, err := c.master.WriteString(keys)
	return err
}

func (c *console) ends(code int) error {
	done := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		return fmt.Errorf("it does not end; the screen: %q", c.screen.String())
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

// step is what is typed and what is then seen.
type step struct{ keys, shows string }

func (c *console) shown(steps []step) error {
	for _, s := range steps {
		if err := errors.Join(c.typed(s.keys), until(fmt.Sprintf("the screen shows %q", s.shows), c.shows(s.shows))); err != nil {
			return fmt.Errorf("%w; the screen: %q", err, c.screen.String())
		}
	}
	return nil
}

// patientPython says that it is at work, and when it is continued. It is no loop of a shell: dash stopped between vfork
// and exec stays there, bash then never sees it stopped.
const patientPython = `python3 -c 'import signal; signal.signal(18, lambda *_: print("going on".upper(), flush=True)); ` +
	`print("at work".upper(), flush=True); [signal.pause() for _ in range(9)]'`

// TestStoppedPipeline: Ctrl-Z stops the whole pipeline that entrain is a part of, so that the shell comes back, and fg
// continues it; so it is in a script.
func TestStoppedPipeline(t *testing.T) {
	if _, err := binaries(); err != nil {
		t.Fatal(err)
	}
	run := strings.Join(entrainRun(t, t.TempDir(), nil), " ") + " "
	for what, command := range map[string]string{"pipeline": run + patientPython + " | cat", "script": `sh -c "` + run + `\"\$@\"; :" sh ` + patientPython} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			plain := initProgram{"no init", func(_ *testing.T, _ string, _ []string, words ...string) []string { return words }}
			bash, err := (&bench{t: t, program: plain, dir: t.TempDir()}).console("bash", "--norc", "-i")
			if err != nil {
				t.Fatal(err)
			}
			err = bash.shown([]step{
				{"", "prompt> "},
				{command + "\n", "AT WORK"},
				{"\x1a", "Stopped"},
				{"fg\n", "GOING ON"},
				{"\x03", "^C"},
				{"exit 9\n", ""},
			})
			if err := errors.Join(err, bash.ends(9)); err != nil {
				t.Error(err)
			}
		})
	}
}

// terminal: what is typed arrives, bash has job control, Ctrl-C is 130, Ctrl-Z and fg work in the shell inside.
func terminal(b *bench) error {
	tac, err := b.console("sh", "-c", "echo started; exec tac")
	if err != nil {
		return err
	}
	err = errors.Join(until("it is started", tac.shows("started")), tac.typed("one\ntwo\n\x04"), until("tac has answered", tac.shows("two\none\n")), tac.ends(0))
	if err != nil {
		return err
	}
	bash, err := b.console("bash", "--norc", "-i")
	if err != nil {
		return err
	}
	err = bash.shown([]step{
		{"", "prompt> "},
		{"case $- in *m*) echo job control is on;; esac | tr a-z A-Z\n", "JOB CONTROL IS ON"},
		{patientPython + "\n", "AT WORK"},
		{"\x1a", "Stopped"},
		{"fg\n", "GOING ON"},
		{"\x03", "^C"},
		{"exit 9\n", ""},
	})
	if err := errors.Join(err, bash.ends(9)); err != nil {
		return err
	}
	cat, err := b.console("sh", "-c", "echo started; exec sleep 600")
	if err != nil {
		return err
	}
	return errors.Join(until("it is started", cat.shows("started")), cat.typed("\x03"), cat.ends(130))
}
