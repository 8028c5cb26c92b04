// Package channel streams the FIFOs of a Pipe-mode channel, one for each epoch, and plays the platform that makes
// them. It knows nothing of the contract.
//
// The platform asks to read PREFIX_0 to its end, or to close it early, then to look for PREFIX_1, which may not be there
// yet. Three things make that harder than it sounds. A FIFO that is opened for reading without waiting is at its end until
// a writer comes, and that is no end of an epoch. One that is opened with waiting cannot be given up. And a reader that
// polls for every few bytes, or copies them, costs a core that the trainer could use.
package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Options say what to stream, and where to.
type Options struct {
	Prefix  string        // of the FIFOs: that of epoch 3 is PREFIX_3
	First   int           // the epoch to begin with
	Epochs  int           // how many; 0 for as many as come
	Timeout time.Duration // for each FIFO, until its stream begins
	Output  *Output
	// Convert changes each epoch's stream; nil passes it on as it is.
	Convert func(r io.Reader, w io.Writer) error
	// Waiting runs while there is something to wait for, and returns when its context ends. It may be nil.
	Waiting func(ctx context.Context, what string)
	in      int // the FIFO, -1 for none; it outlives a reader that goes before its stream has begun
}

// UnavailableError is the error of a FIFO whose stream did not begin in time.
type UnavailableError struct {
	What    string // what was missing
	Timeout time.Duration
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s within %s (--fifo-timeout)", e.What, e.Timeout)
}

// WriteError is an output that could not be written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// errGone says that nobody reads the output any more, which is an early end and no failure.
var errGone = errors.New("the reader is gone")

// errUnread says that they went before the epoch began, so that it is still to come.
var errUnread error = unreadError{}

type unreadError struct{}

func (unreadError) Error() string { return errGone.Error() + " before the stream has begun" }
func (unreadError) Unwrap() error { return errGone }

// Stream passes epoch after epoch on until it has all, until nobody reads the output any more, or until ctx ends: that
// is its cause. A reader that has closed a FIFO gets the next epoch when it opens it again.
func Stream(ctx context.Context, o Options) (err error) {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	o.in = -1
	defer o.closeIn()
	defer func() { err = o.Output.finish(err, ctx.Err() != nil) }()
	for n := 0; o.Epochs == 0 || n < o.Epochs; {
		if err := o.Output.begin(ctx, n+1 != o.Epochs, o.Waiting); err != nil {
			return err
		}
		err := o.epoch(ctx, b, o.Prefix+"_"+strconv.Itoa(o.First+n))
		switch {
		case errors.Is(err, errGone) && !o.Output.isFIFO:
			return nil
		case err != nil && !errors.Is(err, errGone):
			return err
		}
		if !errors.Is(err, errUnread) {
			n++
		}
		if err := o.Output.end(); err != nil {
			return err
		}
	}
	return nil
}

// epoch streams one FIFO.
func (o *Options) epoch(ctx context.Context, b *bell, path string) error {
	err := o.open(ctx, path)
	if errors.Is(err, errGone) {
		return errUnread
	}
	if err != nil {
		return err
	}
	defer o.closeIn()
	c := &copying{bell: b, in: o.in, out: o.Output}
	if o.Convert == nil {
		err = c.splice(ctx)
	} else {
		err = o.Convert(c.reader(ctx), c.writer(ctx, o.Output))
	}
	if _, ofOutput := errors.AsType[*WriteError](err); err == nil || ofOutput || errors.Is(err, errGone) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// closeIn closes the FIFO, early or not: it was only read.
func (o *Options) closeIn() {
	if o.in >= 0 {
		_ = unix.Close(o.in)
	}
	o.in = -1
}
