package proc

import (
	"os"
	"syscall"
)

// Exec replaces this process by the program; it returns only if it could not. Nothing of ours stays: descriptors
// are close-on-exec, handlers go back to what was inherited, the mask too, and the standard library restores
// the limit of open files. A signal that has come meanwhile and means the end is a *SignalError.
func Exec(signals *Signals, cmd Cmd) error {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return lookErr
	}
	if err := os.Chdir(cmd.Dir); err != nil {
		return &StartError{Program: cmd.Argv[0], Code: 126, Err: err}
	}
	if err := signals.letGo(); err != nil {
		return err
	}
	if err := restore(inheritedIgnored, inheritedBlocked); err != nil {
		return err
	}
	return startError(cmd.Argv[0], syscall.Exec(path, cmd.Argv, cmd.Env))
}
