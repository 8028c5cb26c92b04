package remote

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Exec runs words on a host and returns their exit code. The words' stdin, stdout and stderr are files of
// this host. Exec waits until the connection to the host stands. When ctx ends, it ends the command. Every
// error comes with the code CodeSSHError, never with 0. A host that is lost is a *LostError.
func (p *Pool) Exec(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
	n, err := p.connected(ctx, host)
	if err != nil {
		return CodeSSHError, err
	}
	ch, requests, err := n.conn.OpenChannel(sessionChannel, nil)
	if err != nil {
		return CodeSSHError, p.lostError(n)
	}
	defer func() { _ = ch.Close() }()
	ended := make(chan int, 1)
	go func() { ended <- exitStatus(requests) }() // until the channel ends
	payload := ssh.Marshal(execRequest{strings.Join(words, " ")})
	if ok, err := ch.SendRequest("exec", true, payload); err != nil {
		return CodeSSHError, p.lostError(n)
	} else if !ok {
		return CodeSSHError, errors.New(host + " refuses: it runs no commands")
	}
	stopStdin := copyStdin(ch, files[0])
	defer stopStdin()
	written := make(chan struct{})
	go func() {
		copyOutput(files, ch)
		close(written)
	}()
	select {
	case code := <-ended:
		// The output must be complete, but a reader that takes no more must not hold up the end of the job.
		select {
		case <-written:
		case <-ctx.Done():
		case <-p.ctx.Done():
		}
		if code < 0 {
			return CodeSSHError, p.lostError(n)
		}
		return code, nil
	case <-ctx.Done():
		return CodeSSHError, context.Cause(ctx)
	}
}

// exitStatus answers the requests of a session until it ends, and returns the exit code. It returns -1 where
// the session ended without one.
func exitStatus(requests <-chan *ssh.Request) int {
	code := -1
	for r := range requests {
		var s exitStatusRequest
		if r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &s) == nil {
			code = int(s.Code & maxCode)
		}
		_ = r.Reply(false, nil)
	}
	return code
}

// copyStdin sends a file and its end to the session, until stop is called. A read of a pipe or a socket ends
// at once then. A read of a terminal cannot be ended: its goroutine stays until somebody types.
func copyStdin(ch ssh.Channel, file *os.File) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(ch, file)
		_ = ch.CloseWrite()
	}()
	return func() {
		_ = ch.Close()
		if file.SetReadDeadline(time.Now()) == nil {
			<-done
		}
	}
}

// copyOutput writes the session's stdout and stderr to files. It discards what a file does not take any more,
// so that the daemon does not block.
func copyOutput(files [3]*os.File, ch ssh.Channel) {
	copyAll := func(file *os.File, from io.Reader) {
		_, _ = io.Copy(file, from)
		_, _ = io.Copy(io.Discard, from)
	}
	var work sync.WaitGroup
	work.Go(func() { copyAll(files[1], ch) })
	work.Go(func() { copyAll(files[2], ch.Stderr()) })
	work.Wait()
}
