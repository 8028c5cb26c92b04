package channel

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Stall says that the stream of a FIFO stands still.
type Stall struct {
	Path    string        // of the FIFO
	Bytes   int64         // the number of bytes that have come in this epoch
	Elapsed time.Duration // since a byte has moved
	Reader  bool          // the FIFO has data, and the reader of the output takes none
}

// Epoch says how far a stream has come in one FIFO.
type Epoch struct {
	Path    string // of the FIFO
	Number  int
	Bytes   int64         // the number of bytes that have come
	Elapsed time.Duration // since the stream has begun
	Whole   bool          // all of the epoch has come
}

// idle is what happens while a descriptor is not ready. The nil idle waits without end.
type idle struct {
	marks []time.Duration // when tell is called; from the last one on, each time that so much time is over
	limit time.Duration   // the longest wait; 0 for no limit
	tell  func(elapsed time.Duration)
	late  func() error // makes the error after limit
}

// next returns how long to wait until something happens, and -1 for a wait without end.
func (i *idle) next(elapsed time.Duration) time.Duration {
	if i == nil {
		return -1
	}
	next := time.Duration(-1)
	if i.limit > 0 {
		next = i.limit
	}
	for n, mark := range i.marks {
		if n == len(i.marks)-1 {
			mark *= elapsed/mark + 1
		}
		if mark > elapsed && (next < 0 || mark < next) {
			next = mark
		}
	}
	if next < 0 {
		return -1
	}
	return max(next-elapsed, 0)
}

// after does what has to happen after a wait.
func (i *idle) after(elapsed time.Duration) error {
	if i.limit > 0 && elapsed >= i.limit {
		return i.late()
	}
	i.tell(elapsed)
	return nil
}

// waitIdle waits like wait. While nothing is ready, i says what happens.
func (b *bell) waitIdle(ctx context.Context, i *idle, fds ...unix.PollFd) ([]unix.PollFd, error) {
	for start := time.Now(); ; {
		found, err := b.waitAtMost(ctx, i.next(time.Since(start)), fds...)
		if err != nil || found != nil {
			return found, err
		}
		if err := i.after(time.Since(start)); err != nil {
			return nil, err
		}
	}
}

// newCopier makes the copier of an epoch.
func newCopier(b *bell, o *Options, epoch Epoch) *copier {
	c := &copier{bell: b, in: o.in, out: o.Output, epoch: epoch}
	stalled := func(reader bool) func(time.Duration) {
		return func(elapsed time.Duration) {
			if o.Stalled != nil {
				o.Stalled(Stall{Path: epoch.Path, Bytes: c.epoch.Bytes, Elapsed: elapsed, Reader: reader})
			}
		}
	}
	c.idleInput = &idle{marks: o.Stalls, limit: o.StallTimeout, tell: stalled(false), late: func() error {
		what := fmt.Sprintf("%s got no more data after %d bytes", epoch.Path, c.epoch.Bytes)
		return &UnavailableError{What: what, Timeout: o.StallTimeout, Flag: "--stream-timeout"}
	}}
	c.idleOutput = &idle{marks: o.Stalls, tell: stalled(true)}
	return c
}
