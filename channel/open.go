package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/sys/unix"
)

// PipeSize is the capacity of a pipe in bytes: the largest that needs no privilege (pipe(7), pipe-max-size).
// With a large pipe, reader and writer wake up less often.
const PipeSize = 1 << 20

// enlargePipe sets the capacity of a pipe to PipeSize. A smaller pipe is only slower, so an error does
// not matter.
func enlargePipe(fd int) { _, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, PipeSize) }

// open opens a FIFO and waits until its stream has begun: it holds a byte, or its writer has come and
// gone. It does not wait in open(2), because nothing could end that wait. It does not read before the
// stream has begun, because a read would return a false end of file.
func (o *Options) open(ctx context.Context, path string) error {
	what := waited{path, "did not appear"}
	within, cancel := context.WithTimeoutCause(ctx, o.Timeout, errors.New("too late"))
	defer cancel()
	late := func(err error) error {
		if ctx.Err() == nil && within.Err() != nil {
			return &UnavailableError{What: what.path + " " + what.late, Timeout: o.Timeout, Flag: "--fifo-timeout"}
		}
		return err
	}
	if o.in < 0 {
		in, err := waiting(within, "the FIFO "+path, o.Waiting, func() (int, error) {
			return o.openFIFO(within, path)
		})
		if err != nil {
			return late(err)
		}
		o.in = in
		enlargePipe(in)
	}
	what = waited{path, "got no data"}
	_, err := waiting(within, "data in "+path, o.Waiting, func() (int, error) {
		return 0, o.waitForData(within, o.in)
	})
	if err != nil {
		return late(err)
	}
	return nil
}

// waited is a FIFO, and what has not happened to it when the time is over.
type waited struct{ path, late string }

// openFIFO waits until a FIFO exists, and opens it.
func (o *Options) openFIFO(ctx context.Context, path string) (int, error) {
	return retry(ctx, func() (int, error) {
		if isReaderGone(o.Output.fd) {
			return 0, backoff.Permanent(errReaderGone)
		}
		in, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINTR):
			return 0, err
		case errors.Is(err, unix.EACCES):
			const hint = "user %d needs permission to read it, and to search the directories above it"
			return 0, backoff.Permanent(&InvalidError{
				Path: path, Problem: "cannot be read: " + err.Error(), Hint: fmt.Sprintf(hint, unix.Geteuid()),
			})
		case err != nil:
			return 0, backoff.Permanent(fmt.Errorf("%s: %w", path, err))
		case !isFIFO(in):
			_ = unix.Close(in)
			return 0, backoff.Permanent(&InvalidError{
				Path: path, Problem: "is not a FIFO", Hint: "is the channel in Pipe mode?",
			})
		}
		if err := lockFIFO(in, path); err != nil {
			_ = unix.Close(in)
			return 0, backoff.Permanent(err)
		}
		return in, nil
	})
}

// waitForData waits for the first byte, or until the last writer has gone. For a FIFO that never had a writer
// poll(2) reports neither.
func (o *Options) waitForData(ctx context.Context, in int) error {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	return b.waitForInput(ctx, nil, in, o.Output.fd)
}

// isFIFO reports whether a descriptor is a FIFO or a pipe.
func isFIFO(fd int) bool {
	var info unix.Stat_t
	return unix.Fstat(fd, &info) == nil && hasFIFOMode(info)
}

// hasFIFOMode reports whether a file is a FIFO or a pipe.
func hasFIFOMode(info unix.Stat_t) bool { return info.Mode&unix.S_IFMT == unix.S_IFIFO }

// waiting calls do while tell runs beside it. It returns after both have ended. tell may be nil.
func waiting[T any](
	ctx context.Context, what string, tell func(context.Context, string), do func() (T, error),
) (T, error) {
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

// The pauses between two attempts to open a FIFO. They grow from the first to the largest one, so that an
// epoch begins at once, and a long wait costs nothing.
const (
	firstOpenPause = time.Millisecond
	maxOpenPause   = 100 * time.Millisecond
)

// retry calls try until it succeeds: at once, after firstOpenPause, and then less and less often. It
// returns at once if the error is a backoff.PermanentError. If ctx ends, it returns the cause of ctx.
func retry[T any](ctx context.Context, try func() (T, error)) (T, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = firstOpenPause
	b.RandomizationFactor = 0.2
	b.MaxInterval = maxOpenPause
	b.MaxElapsedTime = 0 // without this the backoff package gives up after 15 minutes
	result, err := backoff.RetryWithData(try, backoff.WithContext(b, ctx))
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return result, err
}
