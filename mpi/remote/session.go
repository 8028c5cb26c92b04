package remote

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sessionChannel  = "session"          // a channel that carries a session (RFC 4254, 6.1)
	requestExec     = "exec"             // begins or goes on with a session by a channel
	requestSessions = "sessions@entrain" // the client says which sessions it wants
	requestEnd      = "end@entrain"      // the server says that its host's run ends
)

// execRequest is the payload of a request "exec". It is not that of RFC 4254, 6.5.
type execRequest struct {
	ID      uint32 // of the session, for this client
	Resumed bool   // the server knows the session already
	Command string
}

// sessionsRequest says which of its sessions with an ID up to Last a client still wants. Every connection
// begins with one.
type sessionsRequest struct {
	Client string // tells a Pool from another one of the same host
	Last   uint32
	Wanted []string // IDs
}

func formatID(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// runDaemon starts a daemon, and serves it until it ends. When nobody wants the session before, runDaemon
// kills the daemon.
func (s *Server) runDaemon(n *session, command string) {
	ours, theirs, err := pipes()
	defer closeAll(ours)
	if err != nil {
		s.refuseCommand(n, err)
		return
	}
	ended := make(chan int, 1)
	kill, err := s.c.Start([]string{command}, theirs, func(code int) { ended <- code })
	closeAll(theirs)
	if err != nil {
		s.refuseCommand(n, err)
		return
	}
	s.work.Go(func() {
		n.deliver(stdinStream, ours[0]) // until the client ends its stdin, or nobody wants the session
		_ = ours[0].Close()
	})
	var output sync.WaitGroup
	output.Go(func() { copyPipe(streamWriter{n, stdoutStream}, ours[1]) })
	output.Go(func() { copyPipe(streamWriter{n, stderrStream}, ours[2]) })
	code := 0
	select {
	case code = <-ended:
	case <-n.over:
		kill()
		waitAtMost(killGrace, ended)
	}
	for _, pipe := range ours[1:] {
		_ = pipe.SetReadDeadline(time.Now().Add(outputGrace))
	}
	output.Wait()
	n.endWith(code)
}

// refuseCommand tells both hosts why a daemon was not started.
func (s *Server) refuseCommand(n *session, err error) {
	s.c.Warn(fmt.Sprintf("a remote launch was refused: %v", err))
	_, _ = fmt.Fprintf(streamWriter{n, stderrStream}, "entrain on %s: %v\n", s.c.Self, err)
	n.endWith(CodeNotStarted)
}

// endWith ends the streams of a daemon. The client takes the exit code from the last one.
func (s *session) endWith(code int) {
	_, _ = streamWriter{s, codeStream}.Write([]byte{byte(code & maxCode)})
	for _, stream := range []uint8{stdoutStream, stderrStream, codeStream} {
		streamWriter{s, stream}.end()
	}
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
