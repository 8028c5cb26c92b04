package launch

import (
	"cmp"
	"context"
	"errors"
	"os"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Rsh does the work of entrain rsh, which a launcher calls in place of a remote shell. It asks entrain run of
// its own host to start a daemon, by the socket in dir, and returns the exit code of that daemon. args are
// the words that a remote shell gets. Exit code 255 says that the daemon did not start or was lost.
//
// A signal does not kill the process, since Open MPI 5 takes a killed remote shell for a success. Rsh returns
// 255 instead.
func Rsh(dir string, args, env []string) (int, error) {
	if asked, ok := contract.Getenv(env, remote.OriginalCommand); ok && len(args) == 0 {
		args = []string{remote.ThisHost, asked}
	}
	if dir == "" {
		return remote.CodeSSHError, &plan.UsageError{Err: errors.New(
			plan.DirVariable + " is not set: only a launcher that entrain run started can call entrain rsh")}
	}
	ctx, release := proc.Catch().Context(context.Background())
	defer release()
	type result struct {
		code int
		err  error
	}
	done := make(chan result, 1)
	go func() { // may go on until the process ends
		code, err := remote.Rsh(dir+"/"+remote.SocketName, args, os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			code = cmp.Or(code, remote.CodeSSHError)
		}
		done <- result{code, err}
	}()
	select {
	case r := <-done:
		return r.code, r.err
	case <-ctx.Done():
		return remote.CodeSSHError, nil // without an error: whoever sent the signal knows why
	}
}
