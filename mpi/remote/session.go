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

// drain is how long after the end of a daemon, or its SIGKILL, others may hold its output open.
const drain = time.Second

const notStarted = 126 // as a shell says of what it found and could not run

// command and status are the payloads of exec and of exit-status (RFC 4254, 6.5 and 6.10).
type (
	command struct{ Command string }
	status  struct{ Code uint32 }
)

// session waits for the one request that is answered: exec.
func (s *Server) session(channel ssh.NewChannel) {
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	for r := range requests {
		var c command
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &c) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		s.exec(ch, requests, c.Command)
		return
	}
}

// exec starts a daemon, and sees it through: to its end, or the end of the channel.
func (s *Server) exec(ch ssh.Channel, requests <-chan *ssh.Request, line string) {
	gone := make(chan struct{})
	s.work.Go(func() {
		ssh.DiscardRequests(requests)
		close(gone)
	})
	near, far, err := pipes()
	defer closeAll(near)
	if err != nil {
		s.cannot(ch, err)
		return
	}
	ended := make(chan int, 1)
	kill, err := s.c.Start([]string{line}, far, func(code int) { ended <- code })
	closeAll(far)
	if err != nil {
		s.cannot(ch, err)
		return
	}
	s.work.Go(func() {
		_, _ = io.Copy(near[0], ch) // until the client ends it, the daemon closes it, or the channel ends
		_ = near[0].Close()
	})
	var out sync.WaitGroup
	out.Go(func() { copyOut(ch, near[1]) })
	out.Go(func() { copyOut(ch.Stderr(), near[2]) })
	code := 0
	select {
	case code = <-ended:
	case <-gone:
		kill()
		wait(ended, drain)
	}
	for _, pipe := range near[1:] {
		_ = pipe.SetReadDeadline(time.Now().Add(drain))
	}
	out.Wait()
	exit(ch, code)
}

// cannot tells both sides why a daemon was not started.
func (s *Server) cannot(ch ssh.Channel, err error) {
	s.c.Warn(fmt.Sprintf("a remote launch was refused: %v", err))
	_, _ = fmt.Fprintf(ch.Stderr(), "entrain on %s: %v\n", s.c.Self, err)
	exit(ch, notStarted)
}

func exit(ch ssh.Channel, code int) {
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(status{uint32(code & 0xff)}))
}

// copyOut hands on what a daemon writes. When somebody else holds the pipe open beyond the deadline, what is in it then
// is the last: it holds all that the daemon wrote.
func copyOut(w io.Writer, pipe *os.File) {
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

// pipes are a daemon's stdin, stdout and stderr: near are this process's ends, far the daemon's, which block.
func pipes() (near, far [3]*os.File, err error) {
	for i := range near {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			closeAll(near)
			closeAll(far)
			return near, far, fmt.Errorf("pipe: %w", err)
		}
		own, other := fds[0], fds[1]
		if i == 0 {
			own, other = other, own
		}
		_ = unix.SetNonblock(own, true) // the runtime waits, not a thread
		near[i], far[i] = os.NewFile(uintptr(own), "|"), os.NewFile(uintptr(other), "|")
	}
	return near, far, nil
}

func closeAll(files [3]*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// wait returns when something comes, but not later than patience.
func wait[T any](c <-chan T, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	}
}
