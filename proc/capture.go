package proc

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tailSize is how much of the end of stderr is kept, in bytes.
const tailSize = 64 << 10

// pipeSize is what the pipe from the program holds: the largest that needs no privilege, so that a busy trainer is not
// kept waiting.
const pipeSize = 1 << 20

// capture passes stderr on, byte for byte, and keeps its end for the failure file. A terminal is left alone: a
// program that asks whether it talks to one, and bash's prompt, must find it.
type capture struct {
	r, w   int // the pipe; -1 without capture
	ended  int // the pipe whose end says that the program is gone
	finis  int
	mu     sync.Mutex
	tail   tail // behind mu until the copier has ended
	copied chan struct{}
	copier sync.WaitGroup
	err    error
}

const stderrFd = 2

func newCapture(off bool) (*capture, error) {
	c := &capture{r: -1, w: -1}
	if _, err := unix.IoctlGetTermios(stderrFd, unix.TCGETS); off || err == nil || errors.Is(err, unix.EBADF) {
		return c, nil
	}
	var data, end [2]int
	if err := unix.Pipe2(data[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("a pipe for stderr: %w", err)
	}
	if err := unix.Pipe2(end[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("a pipe for stderr: %w", err)
	}
	_, _ = unix.FcntlInt(uintptr(data[0]), unix.F_SETPIPE_SZ, pipeSize) // a smaller one is only slower
	c.r, c.w, c.ended, c.finis = data[0], data[1], end[0], end[1]
	return c, unix.SetNonblock(c.r, true)
}

// childFd is what the program gets as its stderr.
func (c *capture) childFd() uintptr {
	if c.w < 0 {
		return stderrFd
	}
	return uintptr(c.w)
}

// start begins to copy, once the program has its end of the pipe.
func (c *capture) start() {
	if c.r < 0 {
		return
	}
	_ = unix.Close(c.w)
	c.copied = make(chan struct{})
	c.copier.Go(func() {
		defer close(c.copied)
		c.err = c.copy()
	})
}

// finish waits until everything that was written is passed on. It does not wait for a process that only holds the pipe
// open: what ends the copying is an empty pipe.
func (c *capture) finish() error {
	if c.r < 0 {
		return nil
	}
	_ = unix.Close(c.finis)
	c.copier.Wait()
	return errors.Join(c.err, unix.Close(c.r), unix.Close(c.ended))
}

// lastWords is the end of stderr when the program has ended, though others may still hold the pipe.
func (c *capture) lastWords() []byte {
	if c.r < 0 {
		return nil
	}
	timer := time.NewTimer(150 * time.Millisecond) // for what is in the pipe; it takes less than one
	defer timer.Stop()
	select {
	case <-c.copied:
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tail.bytes()
}

func (c *capture) copy() error {
	buffer := make([]byte, 128<<10)
	out := stderrFd
	for ended := false; ; {
		n, err := unix.Read(c.r, buffer)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if ended {
				return nil
			}
			if ended, err = c.wait(); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("reading the trainer's stderr: %w", err)
		case n == 0:
			return nil
		default:
			c.mu.Lock()
			c.tail.add(buffer[:n])
			c.mu.Unlock()
			if out >= 0 && writeAll(out, buffer[:n]) != nil {
				out = -1 // nobody listens any more; the trainer must not notice
			}
		}
	}
}

// wait waits for more, or for the program's end.
func (c *capture) wait() (ended bool, err error) {
	fds := []unix.PollFd{{Fd: int32(c.r), Events: unix.POLLIN}, {Fd: int32(c.ended), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("waiting for the trainer's stderr: %w", err)
	}
	return fds[1].Revents != 0, nil
}

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

// tail keeps the last tailSize bytes of a stream.
type tail struct {
	ring []byte
	next int // where the next byte goes, once the ring is full
}

func (t *tail) add(data []byte) {
	data = data[max(0, len(data)-tailSize):]
	room := min(tailSize-len(t.ring), len(data))
	t.ring = append(t.ring, data[:room]...)
	for data = data[room:]; len(data) > 0; {
		n := copy(t.ring[t.next:], data)
		t.next = (t.next + n) % tailSize
		data = data[n:]
	}
}

func (t *tail) bytes() []byte {
	return append(t.ring[t.next:len(t.ring):len(t.ring)], t.ring[:t.next]...)
}
