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

// pipeSize is what the pipe from the program holds: the largest that needs no privilege, so that a busy trainer is not
// kept waiting.
const pipeSize = 1 << 20

// capture passes stderr on, byte for byte, and keeps its end for the failure file. It leaves a terminal alone: a program
// that asks whether it talks to one, and bash's prompt, must find it.
type capture struct {
	r, w   *os.File // the pipe; nil without capture
	mu     sync.Mutex
	tail   tail // behind mu
	copied chan struct{}
	passed atomic.Int64 // bytes that were read and passed on
	err    error
}

const stderrFd = 2

func newCapture(off bool, marker string) (*capture, error) {
	c := &capture{tail: newTail(marker)}
	if _, err := unix.IoctlGetTermios(stderrFd, unix.TCGETS); off || err == nil || errors.Is(err, unix.EBADF) {
		return c, nil
	}
	var err error
	if c.r, c.w, err = os.Pipe(); err != nil {
		return nil, fmt.Errorf("a pipe for stderr: %w", err)
	}
	_, _ = unix.FcntlInt(c.w.Fd(), unix.F_SETPIPE_SZ, pipeSize) // a smaller one is only slower
	return c, nil
}

// childFd is the descriptor that the program gets as its stderr.
func (c *capture) childFd() uintptr {
	if c.w == nil {
		return stderrFd
	}
	return c.w.Fd()
}

// start begins to copy, once the program has its end of the pipe.
func (c *capture) start() {
	if c.r == nil {
		return
	}
	_ = c.w.Close()
	c.copied = make(chan struct{})
	go func() {
		defer close(c.copied)
		c.err = c.copy()
	}()
}

// stuck is how long whoever reads our stderr may take none of it once the program has ended.
const stuck = 5 * time.Second

// finish waits until everything that was written is passed on. It does not wait for a process that only holds the pipe
// open: what ends the copying is an empty pipe. Nor does it for a reader that has stopped: then what is in the pipe
// is only kept for the failure file.
func (c *capture) finish() error {
	if c.r == nil {
		return nil
	}
	_ = c.r.SetReadDeadline(time.Unix(1, 0)) // a moment in the past: Read does not wait any more
	for passed := int64(-1); passed != c.passed.Load(); {
		passed = c.passed.Load()
		if c.isCopied(stuck) {
			return errors.Join(c.err, c.r.Close())
		}
	}
	rest := make([]byte, pipeSize)
	n, _ := c.readNow(rest)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tail.add(rest[:n])
	return nil
}

func (c *capture) isCopied(within time.Duration) bool {
	runtime.Gosched() // mostly there is no more to be copied, and a timer costs more than to see that
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

// lastWords is the end of stderr when the program has ended, though others may still hold the pipe.
func (c *capture) lastWords() []byte {
	if c.r == nil {
		return nil
	}
	c.isCopied(150 * time.Millisecond) // for what is in the pipe; it takes less than one
	return c.kept()
}

func (c *capture) kept() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tail.bytes()
}

// copy passes stderr on until nobody can write to it any more, or until finish is called and the pipe is empty.
func (c *capture) copy() error {
	buffer := make([]byte, 128<<10)
	out, read := stderrFd, c.r.Read
	for {
		n, err := read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			read = c.readNow
		case errors.Is(err, io.EOF), errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("reading the trainer's stderr: %w", err)
		default:
			c.mu.Lock()
			c.tail.add(buffer[:n])
			c.mu.Unlock()
			if out >= 0 && isDeaf(writeAll(out, buffer[:n])) {
				out = -1
			}
			c.passed.Add(int64(n))
		}
	}
}

// readNow reads what is in the pipe. It does not wait: where the pipe is empty its error is EAGAIN, or io.EOF where nobody
// can write to it any more.
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

// isDeaf says whether nobody will ever listen again, which the trainer must not notice. A disk that is full may have room
// later.
func isDeaf(err error) bool { return errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EBADF) }

// writeAll writes to a descriptor that may have been made non-blocking by whoever shares it.
func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1); err != nil && !errors.Is(err, unix.EINTR) {
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

// unfinished says whether the last line that was passed on has no end.
func (c *capture) unfinished() bool {
	kept := c.kept()
	return len(kept) > 0 && kept[len(kept)-1] != '\n'
}
