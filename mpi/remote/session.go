package remote

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

const sessionChannel = "session" // the type of a channel that runs a command (RFC 4254, 6.1)

type (
	execRequest       struct{ Command string } // the payload of a request "exec" (RFC 4254, 6.5)
	exitStatusRequest struct{ Code uint32 }    // the payload of a request "exit-status" (RFC 4254, 6.10)
)

// serveSession refuses every request but the first exec, which it carries out.
func (s *Server) serveSession(channel ssh.NewChannel) {
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	for r := range requests {
		var e execRequest
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &e) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		s.runDaemon(ch, requests, e.Command)
		return
	}
}

// runDaemon starts a daemon, and serves it until it ends. When the client ends the channel before, runDaemon
// kills the daemon.
func (s *Server) runDaemon(ch ssh.Channel, requests <-chan *ssh.Request, command string) {
	clientGone := make(chan struct{})
	s.work.Go(func() {
		ssh.DiscardRequests(requests)
		close(clientGone)
	})
	ours, theirs, err := pipes()
	defer closeAll(ours)
	if err != nil {
		s.refuseCommand(ch, err)
		return
	}
	ended := make(chan int, 1)
	kill, err := s.c.Start([]string{command}, theirs, func(code int) { ended <- code })
	closeAll(theirs)
	if err != nil {
		s.refuseCommand(ch, err)
		return
	}
	s.work.Go(func() {
		_, _ = io.Copy(ours[0], ch) // until the client ends its stdin, the daemon closes it, or the channel ends
		_ = ours[0].Close()
	})
	var output sync.WaitGroup
	output.Go(func() { copyPipe(ch, ours[1]) })
	output.Go(func() { copyPipe(ch.Stderr(), ours[2]) })
	code := 0
	select {
	case code = <-ended:
	case <-clientGone:
		kill()
		waitAtMost(killGrace, ended)
	}
	for _, pipe := range ours[1:] {
		_ = pipe.SetReadDeadline(time.Now().Add(outputGrace))
	}
	output.Wait()
	sendExitStatus(ch, code)
}

// refuseCommand tells both hosts why a daemon was not started.
func (s *Server) refuseCommand(ch ssh.Channel, err error) {
	s.c.Warn(fmt.Sprintf("a remote launch was refused: %v", err))
	_, _ = fmt.Fprintf(ch.Stderr(), "entrain on %s: %v\n", s.c.Self, err)
	sendExitStatus(ch, CodeNotStarted)
}

func sendExitStatus(ch ssh.Channel, code int) {
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(exitStatusRequest{uint32(code & maxCode)}))
}

// copyPipe copies a daemon's output to w, up to the pipe's end or its read deadline. Another process may hold
// the pipe open beyond the deadline. Then copyPipe still copies what is in the pipe at that moment: it holds
// everything that the daemon wrote.
func copyPipe(w io.Writer, pipe *os.File) {
	_, err := io.Copy(w, pipe)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	var left int
	_ = raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	_ = pipe.SetReadDeadline(time.Time{})
	_, _ = io.CopyN(w, pipe, int64(left))
}
