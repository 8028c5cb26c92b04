package proc

import (
	"os"
	"syscall"
)

// Exec replaces this process by the program, and returns only if that failed. Nothing of ours stays:
// descriptors are close-on-exec, handlers and the signal mask become what we inherited, and the standard
// library restores the limit of open files. The error is a *StartError, or a *SignalError if a signal has
// come meanwhile that means the end.
func Exec(signals *Signals, cmd Cmd) error {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return lookErr
	}
	if err := os.Chdir(cmd.Dir); err != nil {
		return &StartError{Program: cmd.Argv[0], Code: 126, Err: err}
	}
	if err := signals.uncatch(); err != nil {
		return err
	}
	if err := restore(inheritedIgnored, inheritedBlocked); err != nil {
		return err
	}
	return startError(cmd.Argv[0], resolve(cmd.Dir, path), syscall.Exec(path, cmd.Argv, cmd.Env))
}
