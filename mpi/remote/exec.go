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

// Exec starts words on a host, over the connection that stands or is being made, with this host's files as its stdin,
// stdout and stderr, and gives its exit code. With an error it gives ssh's code for that, never 0. A host that is lost is a
// *LostError. When ctx ends, so does what was started.
func (p *Pool) Exec(ctx context.Context, host string, words []string, files [3]*os.File) (int, error) {
	n, err := p.wait(ctx, host)
	if err != nil {
		return lost, err
	}
	ch, requests, err := n.conn.OpenChannel("session", nil)
	if err != nil {
		return lost, p.lost(n)
	}
	defer func() { _ = ch.Close() }()
	ended := make(chan int, 1)
	go func() { ended <- exitStatus(requests) }() // until the channel ends
	if ok, err := ch.SendRequest("exec", true, ssh.Marshal(command{strings.Join(words, " ")})); err != nil {
		return lost, p.lost(n)
	} else if !ok {
		return lost, errors.New(host + " refuses: it runs no commands")
	}
	stopIn := copyIn(ch, files[0])
	defer stopIn()
	written := make(chan struct{})
	go func() {
		copyBack(files, ch)
		close(written)
	}()
	select {
	case code := <-ended:
		// A reader that takes no more must not hold up the end of all.
		select {
		case <-written:
		case <-ctx.Done():
		case <-p.ctx.Done():
		}
		if code < 0 {
			return lost, p.lost(n)
		}
		return code, nil
	case <-ctx.Done():
		return lost, context.Cause(ctx)
	}
}

// exitStatus answers a session's requests until it ends; negative where none told the exit code.
func exitStatus(requests <-chan *ssh.Request) int {
	code := -1
	for r := range requests {
		var s status
		if r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &s) == nil {
			code = int(s.Code & 0xff)
		}
		_ = r.Reply(false, nil)
	}
	return code
}

// copyIn hands on stdin, and its end, until stop is called. Only reads of pipes and sockets can be given up: for a
// terminal the goroutine stays until somebody types.
func copyIn(ch ssh.Channel, file *os.File) (stop func()) {
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

// copyBack hands on stdout and stderr. What nobody takes any more is thrown away, so that the daemon does not get stuck.
func copyBack(files [3]*os.File, ch ssh.Channel) {
	hand := func(file *os.File, from io.Reader) {
		_, _ = io.Copy(file, from)
		_, _ = io.Copy(io.Discard, from)
	}
	var work sync.WaitGroup
	work.Go(func() { hand(files[1], ch) })
	work.Go(func() { hand(files[2], ch.Stderr()) })
	work.Wait()
}
