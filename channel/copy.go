package channel

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// copier passes on the stream of one FIFO.
type copier struct {
	*bell
	in    int // opened with O_NONBLOCK
	out   *Output
	epoch Epoch
	// What happens while the FIFO has no data, and while the output takes none.
	idleInput, idleOutput *idle
}

// splice moves pages from the FIFO to the output without a copy. The kernel can do this if the output is
// a pipe, or a file that is not opened for appending. For other outputs splice copies. It also copies to
// a socket or a terminal, because nothing can end a splice(2) that waits for one.
func (c *copier) splice(ctx context.Context) error {
	if !isFIFO(c.out.fd) && !isFile(c.out.fd) {
		return c.copy(ctx)
	}
	roomy := isRoomy(c.in)
	more := false // the FIFO is known to have data, so the output is full
	moved := 0    // bytes since the FIFO was empty
	for ctx.Err() == nil {
		n, err := unix.Splice(c.in, nil, c.out.fd, nil, PipeSize, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if !more && 0 < moved && moved < PipeSize && roomy {
				c.waitForMore()
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
			count := int(n)
			moved += count
			c.epoch.Bytes += int64(count)
		}
	}
	return context.Cause(ctx)
}

// isRoomy reports whether a pipe is large enough that its writer need not wait while waitForMore waits.
func isRoomy(fd int) bool {
	size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	return err == nil && size >= PipeSize
}

// waitForMore waits for 100 µs, so that more data can come. Waking up for a few bytes at a time, and
// waking up their reader, costs more than moving them. The bell or a signal may end the wait early.
func (c *copier) waitForMore() {
	moment := unix.NsecToTimespec(100_000)
	_, _ = unix.Ppoll([]unix.PollFd{readable(c.fd)}, &moment, nil)
}

// await waits for the output if the FIFO has data, else for the FIFO. In both cases it also ends when the
// output has no reader any more.
func (c *copier) await(ctx context.Context, more bool) error {
	if more {
		_, err := c.waitIdle(ctx, c.idleOutput, writable(c.out.fd))
		return err // if the reader is gone, the next write says so
	}
	return c.waitForInput(ctx, c.idleInput, c.in, c.out.fd)
}

// copy reads the FIFO and writes the output.
func (c *copier) copy(ctx context.Context) error {
	_, err := io.CopyBuffer(c.writer(ctx, c.idleOutput, c.out), c.reader(ctx), make([]byte, 256<<10))
	return err
}

// reader returns the FIFO as an io.Reader. A Read fails when ctx ends, or when nobody reads the output
// any more.
func (c *copier) reader(ctx context.Context) io.Reader {
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
				c.epoch.Bytes += int64(n)
				return n, nil
			}
		}
		return 0, context.Cause(ctx)
	})
}

// writer returns the output as an io.Writer. A Write fails when ctx ends. While the output takes no
// byte, i says what to do.
func (b *bell) writer(ctx context.Context, i *idle, o *Output) io.Writer {
	return ioFunc(func(p []byte) (int, error) {
		for rest := p; len(rest) > 0; {
			if _, err := b.waitIdle(ctx, i, writable(o.fd)); err != nil {
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

// writeError makes an error of write(2) or splice(2) an errReaderGone or a *WriteError.
func writeError(err error) error {
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errReaderGone
	}
	return &WriteError{Err: err}
}

// ioFunc is a function as an io.Reader or an io.Writer.
type ioFunc func(p []byte) (int, error)

func (f ioFunc) Read(p []byte) (int, error)  { return f(p) }
func (f ioFunc) Write(p []byte) (int, error) { return f(p) }
