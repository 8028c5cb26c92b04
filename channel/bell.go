package channel

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// bell makes a wait for descriptors end with a context: a descriptor that becomes readable then.
type bell struct {
	fd   int
	stop func() bool
	rung chan struct{}
}

func newBell(ctx context.Context) (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	b := &bell{fd: fd, rung: make(chan struct{})}
	b.stop = context.AfterFunc(ctx, func() {
		defer close(b.rung)
		_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // a number of eight bytes, nobody else writes it
	})
	return b, nil
}

func (b *bell) close() {
	if !b.stop() {
		<-b.rung // it must not ring on what has its number next
	}
	_ = unix.Close(b.fd)
}

// wait returns when one of the descriptors is ready, and says which are. It is the cause of ctx once that has ended.
func (b *bell) wait(ctx context.Context, fds ...unix.PollFd) ([]unix.PollFd, error) {
	fds = append(fds, unix.PollFd{Fd: int32(b.fd), Events: unix.POLLIN})
	for {
		_, err := unix.Poll(fds, -1)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !errors.Is(err, unix.EINTR) {
			return fds, err
		}
	}
}

func readable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} }
func writable(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT} }

// watched is ready only when nobody reads any more.
func watched(fd int) unix.PollFd { return unix.PollFd{Fd: int32(fd)} }

// isGone says whether nobody will ever read what is written.
func isGone(fd unix.PollFd) bool { return fd.Revents&(unix.POLLERR|unix.POLLHUP) != 0 }
