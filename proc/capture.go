package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// capture passes stderr on, byte for byte, and keeps its end for the failure file. It leaves a terminal
// alone: programs ask whether stderr is a terminal, and bash's prompt needs one.
type capture struct {
	r, w   *os.File // the pipe; nil without capture
	size   int      // bytes that it was asked to hold
	piece  int      // bytes that are read at once
	unseen bool     // the caller wants no capture, so nobody sees what is written
	fd     int      // where it passes on what the program writes
	tags   *tagger  // puts a tag in front of each line; nil for none
	// shared is held for each write by all that write to the same place; nil for nobody else.
	shared *sync.Mutex
	Listener
	mu     sync.Mutex
	tail   tail          // guarded by mu
	copied chan struct{} // closed when copy has returned
	passed atomic.Int64  // bytes that were read and passed on
	err    error         // of copy, once it has returned
}

const stderrFd = 2

// kernelPipe is how many bytes a pipe holds if nobody asks for more (pipe(7)).
const kernelPipe = 64 << 10

// newCapture makes a capture that is off where the caller wants that, or where our own stderr is a terminal
// or closed. The pipe from the program holds size bytes, so that a busy trainer need not wait; 0 leaves the
// size to the kernel.
func newCapture(off bool, marker string, size int) (*capture, error) {
	c := &capture{tail: newTail(marker), size: size, piece: wholePiece, unseen: off, fd: stderrFd}
	_, err := unix.IoctlGetTermios(stderrFd, unix.TCGETS)
	if isTerminal, isClosed := err == nil, errors.Is(err, unix.EBADF); off || isTerminal || isClosed {
		return c, nil
	}
	return c, c.open()
}

// wholePiece is how many bytes of a program alone are read at once.
const wholePiece = 128 << 10

// open makes the pipe.
func (c *capture) open() (err error) {
	if c.r, c.w, err = os.Pipe(); err != nil {
		return fmt.Errorf("a pipe for the trainer's output: %w", err)
	}
	if c.size > 0 {
		_, _ = unix.FcntlInt(c.w.Fd(), unix.F_SETPIPE_SZ, c.size) // a smaller pipe is only slower
	}
	return nil
}

// childFd is the descriptor that the program gets.
func (c *capture) childFd() uintptr {
	if c.w == nil {
		return uintptr(c.fd)
	}
	return c.w.Fd()
}

// start begins to copy, once the program has its end of the pipe.
func (c *capture) start() {
	if c.r == nil {
		return
	}
	if conn, err := c.r.SyscallConn(); err == nil && c.Listen != nil { // Fd would make the pipe blocking
		_ = conn.Control(func(fd uintptr) { c.Listen(c.kept, int(fd)) })
	}
	_ = c.w.Close()
	c.copied = make(chan struct{})
	go func() {
		defer close(c.copied)
		c.err = c.copy()
	}()
}

// readerTimeout is how long the reader of our stderr may read nothing before we give up on it: once the
// program has ended, and for each write of the log.
const readerTimeout = 5 * time.Second

// finish waits until everything that was written is passed on. It does not wait for a process that only
// holds the pipe open, because copy returns when the pipe is empty. It does not wait for a reader that has
// stopped either: then the rest in the pipe is only kept for the failure file.
func (c *capture) finish() error {
	if c.r == nil {
		return nil
	}
	_ = c.r.SetReadDeadline(time.Unix(1, 0)) // a moment in the past: Read no longer waits
	for passed := int64(-1); passed != c.passed.Load(); {
		passed = c.passed.Load()
		if c.isCopied(readerTimeout) {
			return errors.Join(c.err, c.r.Close())
		}
	}
	rest := make([]byte, max(c.size, kernelPipe))
	n, _ := c.readNow(rest)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tail.add(rest[:n])
	return nil
}

// isCopied waits for the end of copy, for a bounded time.
func (c *capture) isCopied(within time.Duration) bool {
	runtime.Gosched() // usually copy is about to return, and to see that costs less than a timer
	select {
	case <-c.copied:
		return true
	default:
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c.copied:
		return true
	case <-timer.C:
		return false
	}
}

// lastCopyTimeout is how long the last lines may take through the pipe, once the program has ended. Usually
// they take less than 1 ms.
const lastCopyTimeout = 150 * time.Millisecond

// keptSoFar is the end of stderr when the program has ended. Other processes may still write to the pipe.
func (c *capture) keptSoFar() []byte {
	if c.r == nil {
		return nil
	}
	c.isCopied(lastCopyTimeout)
	return c.kept()
}

// kept is a copy of the end of stderr.
func (c *capture) kept() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tail.bytes()
}

// copy passes stderr on until no process can write to it any more, or until finish is called and the pipe
// is empty.
func (c *capture) copy() error {
	buffer := make([]byte, c.piece)
	read := c.r.Read
	defer c.passEnd()
	for {
		n, err := read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			read = c.readNow
		case errors.Is(err, io.EOF), errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("reading the trainer's output: %w", err)
		default:
			if !c.unseen {
				c.mu.Lock()
				c.tail.add(buffer[:n])
				c.mu.Unlock()
			}
			if c.Heed != nil {
				c.Heed(buffer[:n])
			}
			c.pass(buffer[:n])
			c.passed.Add(int64(n))
		}
	}
}

// pass passes bytes on, until nobody reads them any more.
func (c *capture) pass(data []byte) {
	if c.tags != nil {
		data = c.tags.add(data)
	}
	if c.fd < 0 || len(data) == 0 {
		return
	}
	if c.shared != nil {
		c.shared.Lock()
		defer c.shared.Unlock()
	}
	if isReaderGone(writeAll(c.fd, data)) {
		c.fd = -1
	}
}

// passEnd passes on what a tagger still holds back.
func (c *capture) passEnd() {
	if c.tags != nil && len(c.tags.line) > 0 {
		c.pass([]byte("\n"))
	}
}

// readNow reads what is in the pipe, and does not wait. Where the pipe is empty, the error is EAGAIN, or
// io.EOF if no process can write to it any more.
func (c *capture) readNow(buffer []byte) (n int, err error) {
	conn, err := c.r.SyscallConn()
	if err != nil {
		return 0, err
	}
	closed := conn.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buffer) })
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), errors.Join(closed, err)
}

// writeAll writes everything to a descriptor. Another process that shares the descriptor may have made it
// non-blocking.
func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return err
			}
		case err != nil:
			return err
		default:
			data = data[n:]
		}
	}
	return nil
}

// unfinished says whether the last line that was passed on lacks its newline.
func (c *capture) unfinished() bool {
	if c.unseen {
		return true // nobody knows
	}
	kept := c.kept()
	return len(kept) > 0 && kept[len(kept)-1] != '\n'
}
