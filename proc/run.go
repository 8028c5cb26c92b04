package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how Run ends a program.
type Options struct {
	Grace       time.Duration // from the first SIGTERM to SIGKILL
	SignalGroup bool          // signals go to the program's process group, not to it alone
}

// Exit is how a program ended.
type Exit struct {
	Code       int            // what it exited with; 128 + Signal where a signal ended it
	Signal     syscall.Signal // 0 where it exited by itself
	CoreDumped bool
	Killed     bool // it outlived the grace and was killed by us
	Elapsed    time.Duration
}

// ExitError is the error of a program that ran and did not succeed.
type ExitError struct {
	Program string
	Exit
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != 0 {
		how = "killed by " + signalName(e.Signal)
	}
	if e.CoreDumped {
		how += ", core dumped"
	}
	if e.Killed {
		how += ", since it outlived the grace"
	}
	return fmt.Sprintf("%s: %s after %s", e.Program, how, e.Elapsed.Round(time.Millisecond))
}

// Run starts a program and is its init until it ends: it passes signals on, reaps every orphan, and leaves no
// process behind. When ctx ends the program gets SIGTERM as if that had been sent.
//
// One goroutine owns signals and wait4(-1) both: a second waiter would steal exit statuses, and a process
// that this one has not reaped cannot have lost its number.
func Run(ctx context.Context, signals *Signals, cmd Cmd, o Options) (Exit, error) {
	if os.Getpid() != 1 {
		// Orphans come to us, not to an init outside, so that none is left behind.
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return Exit{}, fmt.Errorf("becoming a subreaper: %w", err)
		}
	}
	start := time.Now()
	pid, err := fork(cmd)
	if err != nil {
		return Exit{}, err
	}
	r := &run{signals: signals, o: o, pid: pid}
	err = r.supervise(ctx)
	r.exit.Elapsed = time.Since(start)
	return r.exit, errors.Join(err, r.stragglers())
}

// fork starts the program in a process group of its own, in the foreground of a terminal if we are.
func fork(cmd Cmd) (int, error) {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return 0, lookErr
	}
	if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		return 0, &StartError{Program: cmd.Argv[0], Code: 126, Err: errors.New("no directory " + cmd.Dir + " to start in")}
	}
	attr := &syscall.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.Env,
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Foreground: inForeground(), Ctty: 0},
	}
	path, argv := relayed(path, cmd.Argv)
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, startError(cmd.Argv[0], err)
	}
	return pid, nil
}

// inForeground says whether stdin is our terminal and our process group may read from it.
func inForeground() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

type run struct {
	signals  *Signals
	o        Options
	pid      int
	exit     Exit
	ended    bool
	stopped  bool      // by a signal such as SIGSTOP
	deadline time.Time // of the grace; zero until a SIGTERM came
}

func (r *run) supervise(ctx context.Context) error {
	defer context.AfterFunc(ctx, r.signals.wakeUp)()
	for r.reap(); !r.ended; r.reap() {
		sigs, err := r.signals.next(r.deadline)
		if err != nil {
			return err
		}
		for _, sig := range sigs {
			switch sig {
			case syscall.SIGCHLD, syscall.SIGPIPE: // the next reap looks; a broken pipe of ours is an error where we write
			case wake:
				r.pass(syscall.SIGTERM)
			default:
				r.pass(sig)
			}
		}
		if !r.deadline.IsZero() && !time.Now().Before(r.deadline) && !r.exit.Killed {
			r.exit.Killed = true
			r.deadline = time.Time{}
			killTree(r.pid)
		}
	}
	return nil
}

// pass sends a signal on. A stopped program could not act on a SIGTERM: it is continued.
func (r *run) pass(sig syscall.Signal) {
	target := r.pid
	if r.o.SignalGroup {
		target = -r.pid
	}
	_ = syscall.Kill(target, sig) // it may have ended by itself: the next reap says so
	if sig != syscall.SIGTERM {
		return
	}
	if r.stopped {
		_ = syscall.Kill(target, syscall.SIGCONT)
	}
	if r.deadline.IsZero() && !r.exit.Killed {
		r.deadline = time.Now().Add(r.o.Grace)
	}
}

// reap takes the status of every child that ended, ours or an orphan that came to us.
func (r *run) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG|syscall.WUNTRACED|unix.WCONTINUED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || pid <= 0:
			return
		case pid == r.pid:
			r.note(status)
		}
	}
}

func (r *run) note(status syscall.WaitStatus) {
	switch {
	case status.Stopped():
		r.stopped = true
	case status.Continued():
		r.stopped = false
	case status.Signaled():
		r.ended = true
		r.exit.Signal, r.exit.CoreDumped = status.Signal(), status.CoreDump()
		r.exit.Code = 128 + int(status.Signal())
	default:
		r.ended = true
		r.exit.Code = status.ExitStatus()
	}
}
