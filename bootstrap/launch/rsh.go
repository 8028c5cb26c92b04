package launch

import (
	"cmp"
	"context"
	"errors"
	"os"

	"entrain/bootstrap/plan"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Rsh is what a launcher calls in place of a remote shell: it asks the run of its own host, beside whose socket it is
// linked, and ends with the exit code of what it asked for.
//
// A signal does not kill it, since Open MPI 5 takes that for a success: it gives up instead.
func Rsh(dir string, args []string) (int, error) {
	if dir == "" {
		return remote.CodeSSHError, &plan.UsageError{Err: errors.New(plan.DirVariable + " is not set: only a launcher that entrain run started can call entrain rsh")}
	}
	ctx, release := proc.Catch().Context(context.Background())
	defer release()
	type end struct {
		code int
		err  error
	}
	done := make(chan end, 1)
	go func() { // until the process ends
		code, err := remote.Rsh(dir+"/"+remote.SocketName, args, os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			code = cmp.Or(code, remote.CodeSSHError)
		}
		done <- end{code, err}
	}()
	select {
	case e := <-done:
		return e.code, e.err
	case <-ctx.Done():
		return remote.CodeSSHError, nil // whoever sent it knows
	}
}
