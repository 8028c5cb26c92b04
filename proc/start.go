package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes us the parent of orphans below us, so that none is left behind with an init outside. It also
// asks for a signal when our own parent ends; 0 asks for none. parent was our parent when we started. If it
// has ended since then, the kernel would never send the signal, so we send it to ourselves.
func adopt(parentDeath syscall.Signal, parent int) error {
	if os.Getpid() == 1 {
		return nil
	}
	// Where a sandbox has no such call, orphans go to the init outside.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	if parentDeath == 0 {
		return nil
	}
	runtime.LockOSThread() // the request belongs to this thread, which must live as long as we do
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(parentDeath), 0, 0, 0); err != nil {
		return fmt.Errorf("asking for %s at the parent's end: %w", signalName(parentDeath), err)
	}
	if os.Getppid() != parent {
		return unix.Kill(os.Getpid(), parentDeath)
	}
	return nil
}

// start starts the program, or the programs of the team, if there are any.
func (o *Options) start(cmd Cmd, output outputs) (pid int, err error) {
	switch {
	case o.Team != nil:
		err = o.Team.start(o)
	case len(cmd.Argv) > 0:
		pid, err = fork(cmd, output.files(uintptr(o.Stdin)), inForeground(unix.Getpgrp()))
	}
	if o.Stdin != 0 {
		_ = unix.Close(o.Stdin) // then only the program holds it, and its writer sees when the program ends
	}
	return pid, err
}

// fork starts a program in a process group of its own, which gets the foreground of the terminal if asked
// to. Files are its stdin, stdout and stderr. The kernel kills the program when we are killed: nobody else
// would end it and say how it ended.
func fork(cmd Cmd, files [3]uintptr, foreground bool) (int, error) {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return 0, lookErr
	}
	if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		err := errors.New("no directory " + cmd.Dir + " to start in")
		return 0, &StartError{Program: cmd.Argv[0], Code: 126, Err: err}
	}
	attr := &syscall.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.Env,
		Files: files[:],
		Sys: &syscall.SysProcAttr{
			Setpgid:    true,
			Foreground: foreground,
			Ctty:       0,
			Pdeathsig:  syscall.SIGKILL,
		},
	}
	pid, err := spawn(path, cmd.Argv, attr)
	if err != nil {
		return 0, startError(cmd.Argv[0], resolve(cmd.Dir, path), err)
	}
	return pid, nil
}
