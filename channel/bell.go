package channel

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// bell ends a wait for descriptors when a context ends. It has a descriptor of its own, which becomes
// readable then.
type bell struct {
	fd   int
	stop func() bool   // keeps the bell from ringing; false if it has begun to ring
	rung chan struct{} // closed after the bell has rung
}

// newBell makes the bell of a context. The caller closes it.
func newBell(ctx context.Context) (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	b := &bell{fd: fd, rung: make(chan struct{})}
	b.stop = context.AfterFunc(ctx, func() {
		defer close(b.rung)
		_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // an eventfd takes a number of eight bytes
	})
	return b, nil
}

// close ends the use of the bell.
func (b *bell) close() {
	if !b.stop() {
		<-b.rung // it must not write to another file that gets the same descriptor number
	}
	_ = unix.Close(b.fd)
}

// wait waits until one of the descriptors is ready, and returns them with the events that have come. If
// ctx has ended, it returns the cause of ctx.
func (b *bell) wait(ctx context.Context, fds ...unix.PollFd) ([]unix.PollFd, error) {
	return b.waitAtMost(ctx, -1, fds...)
}

// waitAtMost waits like wait, but not longer than so much time; -1 stands for no limit. It returns no
// descriptors if the time is over.
func (b *bell) waitAtMost(
	ctx context.Context, most time.Duration, fds ...unix.PollFd,
) ([]unix.PollFd, error) {
	fds = append(fds, unix.PollFd{Fd: int32(b.fd), Events: unix.POLLIN})
	for start := time.Now(); ; {
		left := -1 // in milliseconds, as poll(2) wants it
		if most >= 0 {
			left = int((max(most-time.Since(start), 0) + time.Millisecond - 1) / time.Millisecond)
		}
		n, err := unix.Poll(fds, left)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !errors.Is(err, unix.EINTR) {
			if n == 0 && err == nil {
				return nil, nil
			}
			return fds, err
		}
	}
}

// waitForInput waits until a descriptor can be read. It returns errReaderGone if the output has no reader
// any more and there is nothing to read. While nothing happens, i says what to do.
func (b *bell) waitForInput(ctx context.Context, i *idle, in, out int) error {
	fds, err := b.waitIdle(ctx, i, readable(in), hangup(out))
	if err == nil && fds[0].Revents == 0 && hasNoReader(fds[1]) {
		return errReaderGone
	}
	return err
}

// readable and writable are ready when a read or a write does not have to wait.
func readable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} }
func writable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT} }

// hangup is ready only when the last reader has gone: poll(2) reports that without being asked.
func hangup(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd)} }

// isReaderGone reports whether nobody can read what is written to a descriptor.
func isReaderGone(fd int) bool {
	fds := []unix.PollFd{hangup(fd)}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && hasNoReader(fds[0])
}

// hasNoReader reports whether poll(2) found that nobody can read what is written.
func hasNoReader(fd unix.PollFd) bool { return fd.Revents&(unix.POLLERR|unix.POLLHUP) != 0 }
