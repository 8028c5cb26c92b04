package remote

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Exec runs words on a host and returns their exit code. The words' stdin, stdout and stderr are files of
// this host. Exec waits until the connection to the host stands, and goes on by the next connection when one
// has ended. When ctx ends, it ends the command. Every error comes with the code CodeSSHError, never with 0.
// A host that is lost is a *LostError.
func (p *Pool) Exec(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
	n, err := p.connected(ctx, host)
	if err != nil {
		return CodeSSHError, err
	}
	s := newSession(clientSends)
	failed := make(chan error, 1)
	p.start(func() {
		if err := n.carry(s, strings.Join(words, " ")); err != nil {
			failed <- &LostError{Host: host, Why: err.Error()}
		}
	})
	stopStdin := copyStdin(s, files[0])
	defer stopStdin()
	ended, written := make(codes, 1), make(chan struct{})
	go s.deliver(codeStream, ended)
	go func() {
		var work sync.WaitGroup
		work.Go(func() { s.deliver(stdoutStream, files[1]) })
		work.Go(func() { s.deliver(stderrStream, files[2]) })
		work.Wait()
		close(written)
	}()
	select {
	case code := <-ended:
		// The output must be complete, but a reader that takes no more must not hold up the end of the job.
		select {
		case <-written:
		case <-ctx.Done():
		case <-n.gone:
		}
		return code, nil
	case err = <-failed:
	case <-n.gone:
		err = p.lostError(n)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return CodeSSHError, err
}

// codes takes the byte of a codeStream.
type codes chan int

func (c codes) Write(b []byte) (int, error) {
	select {
	case c <- int(b[0]):
	default: // a second code means nothing
	}
	return len(b), nil
}

// copyStdin sends a file and its end to the session. stop ends the session, and the copying. A read of a pipe
// or a socket ends at once then. A read of a terminal cannot be ended: its goroutine stays until somebody
// types.
func copyStdin(s *session, file *os.File) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		to := streamWriter{s, stdinStream}
		_, _ = io.Copy(to, file)
		to.end()
	}()
	return func() {
		s.finish()
		if file.SetReadDeadline(time.Now()) == nil {
			<-done
		}
	}
}
