package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe holds: the largest that needs no privilege. Both ends wake up less often.
const pipeSize = 1 << 20

// enlarge makes a pipe hold more; where that is refused it is only slower.
func enlarge(fd int) { _, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, pipeSize) }

// open opens a FIFO whose stream has begun: at least one byte is there, or its writer has come and gone. Until then
// neither is opening it waited in, which nothing could end, nor is it read, which would find a false end.
func (o *Options) open(ctx context.Context, path string) error {
	what := waited{path, "did not appear"}
	within, cancel := context.WithTimeoutCause(ctx, o.Timeout, errors.New("too late"))
	defer cancel()
	late := func(err error) error {
		if ctx.Err() == nil && within.Err() != nil {
			return &UnavailableError{What: what.path + " " + what.late, Timeout: o.Timeout}
		}
		return err
	}
	if o.in < 0 {
		in, err := waiting(within, "the FIFO "+path, o.Waiting, func() (int, error) { return o.look(within, path) })
		if err != nil {
			return late(err)
		}
		o.in = in
		enlarge(in)
	}
	what = waited{path, "got no data"}
	if _, err := waiting(within, "data in "+path, o.Waiting, func() (int, error) { return 0, o.begun(within, o.in) }); err != nil {
		return late(err)
	}
	return nil
}

// waited is a FIFO, and what it has not done when the time-out is over.
type waited struct{ path, late string }

// look opens a FIFO once it is there.
func (o *Options) look(ctx context.Context, path string) (int, error) {
	return retry(ctx, func() (int, error) {
		if fds := []unix.PollFd{watched(o.Output.fd)}; isReady(fds) && isGone(fds[0]) {
			return 0, backoff.Permanent(errGone)
		}
		in, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINTR):
			return 0, err
		case err != nil:
			return 0, backoff.Permanent(fmt.Errorf("%s: %w", path, err))
		case !isFIFO(in):
			_ = unix.Close(in)
			return 0, backoff.Permanent(fmt.Errorf("%s is not a FIFO: is the channel in Pipe mode?", path))
		}
		return in, nil
	})
}

// begun waits for the first byte, or for the last writer's end, which poll(2) tells only if there was one.
func (o *Options) begun(ctx context.Context, in int) error {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	fds, err := b.wait(ctx, readable(in), watched(o.Output.fd))
	if err == nil && fds[0].Revents == 0 && isGone(fds[1]) {
		return errGone
	}
	return err
}

func isReady(fds []unix.PollFd) bool {
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func isFIFO(fd int) bool {
	var info unix.Stat_t
	return unix.Fstat(fd, &info) == nil && info.Mode&unix.S_IFMT == unix.S_IFIFO
}

// waiting does something while tell runs beside it.
func waiting[T any](ctx context.Context, what string, tell func(context.Context, string), do func() (T, error)) (T, error) {
	if tell == nil {
		return do()
	}
	ctx, cancel := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		tell(ctx, what)
	}()
	result, err := do()
	cancel()
	<-told
	return result, err
}

// retry tries again and again, at first at once and then less and less often, until ctx ends: that is its cause.
func retry[T any](ctx context.Context, try func() (T, error)) (T, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = time.Millisecond
	b.RandomizationFactor = 0.2
	b.MaxInterval = 100 * time.Millisecond
	b.MaxElapsedTime = 0 // the package's own limit of 15 minutes is not ours
	result, err := backoff.RetryWithData(try, backoff.WithContext(b, ctx))
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return result, err
}
