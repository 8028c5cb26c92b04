package channel

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// copying passes one FIFO on.
type copying struct {
	*bell
	in  int // never blocks
	out *Output
}

// splice moves pages from the FIFO to the output without looking at them, where the kernel can: from a pipe to a pipe,
// or a file that is not opened for appending. Else it copies, as for a socket or a terminal, in which splice(2) would wait
// where nothing can end it.
func (c *copying) splice(ctx context.Context) error {
	if !isFIFO(c.out.fd) && !isFile(c.out.fd) {
		return c.copy(ctx)
	}
	roomy := isRoomy(c.in)
	more := false // the FIFO has more, so that it is the output that is waited for
	moved := 0    // since the FIFO was empty
	for ctx.Err() == nil {
		n, err := unix.Splice(c.in, nil, c.out.fd, nil, pipeSize, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if !more && 0 < moved && moved < pipeSize && roomy {
				c.gather()
			}
			if err := c.await(ctx, more); err != nil {
				return err
			}
			more, moved = !more, 0
		case errors.Is(err, unix.EINVAL):
			return c.copy(ctx)
		case err != nil:
			return writeError(err)
		case n == 0:
			return nil
		default:
			more = false
			moved += int(n)
		}
	}
	return context.Cause(ctx)
}

// isRoomy says whether a pipe has room for more than comes while gather waits.
func isRoomy(fd int) bool {
	size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	return err == nil && size >= pipeSize
}

// gather waits a moment for more to come: to wake up for a few bytes at a time, and to wake up who reads them, costs more
// than to move them.
func (c *copying) gather() {
	moment := unix.NsecToTimespec(100_000)
	_, _ = unix.Ppoll([]unix.PollFd{readable(c.fd)}, &moment, nil) // the bell ends it; a signal may
}

// await waits for the output if the FIFO has more, else for that; the output's end it notices either way.
func (c *copying) await(ctx context.Context, more bool) error {
	if more {
		_, err := c.wait(ctx, writable(c.out.fd))
		return err // a reader that is gone shows where it is written to
	}
	fds, err := c.wait(ctx, readable(c.in), watched(c.out.fd))
	if err == nil && fds[0].Revents == 0 && isGone(fds[1]) {
		return errGone
	}
	return err
}

func (c *copying) copy(ctx context.Context) error {
	_, err := io.CopyBuffer(c.writer(ctx, c.out), c.reader(ctx), make([]byte, 256<<10))
	return err
}

// reader reads the FIFO as an io.Reader that ends with ctx, or when nobody reads the output any more.
func (c *copying) reader(ctx context.Context) io.Reader {
	return ioFunc(func(p []byte) (int, error) {
		for ctx.Err() == nil {
			n, err := unix.Read(c.in, p)
			switch {
			case errors.Is(err, unix.EINTR):
			case errors.Is(err, unix.EAGAIN):
				if err := c.await(ctx, false); err != nil {
					return 0, err
				}
			case err != nil:
				return 0, err
			case n == 0:
				return 0, io.EOF
			default:
				return n, nil
			}
		}
		return 0, context.Cause(ctx)
	})
}

// writer writes to an output as an io.Writer that ends with ctx.
func (b *bell) writer(ctx context.Context, o *Output) io.Writer {
	return ioFunc(func(p []byte) (int, error) {
		for rest := p; len(rest) > 0; {
			if _, err := b.wait(ctx, writable(o.fd)); err != nil {
				return len(p) - len(rest), err
			}
			n, err := unix.Write(o.fd, rest[:min(len(rest), o.chunk)])
			if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
				return len(p) - len(rest), writeError(err)
			}
			rest = rest[max(n, 0):]
		}
		return len(p), nil
	})
}

func writeError(err error) error {
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errGone
	}
	return &WriteError{Err: err}
}

// ioFunc is a function as an io.Reader or an io.Writer.
type ioFunc func(p []byte) (int, error)

func (f ioFunc) Read(p []byte) (int, error)  { return f(p) }
func (f ioFunc) Write(p []byte) (int, error) { return f(p) }
