// Package channel streams the FIFOs of a Pipe-mode channel, one for each epoch. It can also play the platform
// that makes these FIFOs. It knows nothing of the contract.
//
// The platform wants a reader to read PREFIX_0 to its end, or to close it early, and then to look for
// PREFIX_1, which may not exist yet. Three things make that harder than it sounds. If a reader opens a
// FIFO without waiting, it reads an end of file until a writer comes; this is not the end of an epoch. If
// a reader opens a FIFO with waiting, nothing can end the wait. A reader that wakes up for every few
// bytes, or copies them, uses a core that the trainer needs.
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
	Prefix  string        // the path of a FIFO without its epoch: the FIFO of epoch 3 is PREFIX_3
	First   int           // the epoch to begin with
	Epochs  int           // the number of epochs; 0 for no limit
	Timeout time.Duration // for each FIFO, until its stream begins
	// StallTimeout is how long a stream may give no byte once it has begun; 0 for no limit.
	StallTimeout time.Duration
	// Stalls are the times, in growing order, after which Stalled is called while a stream stands still. From
	// the last one on, it is called each time that so much time is over.
	Stalls  []time.Duration
	Stalled func(Stall) // it may be nil
	Ended   func(Epoch) // called when an epoch has ended, or Stream within it; it may be nil
	Output  *Output
	// Convert changes the stream of each epoch. If it is nil, the stream stays as it is.
	Convert func(r io.Reader, w io.Writer) error
	// Waiting runs while Stream waits for the thing that what names. It must return when ctx ends. It may be
	// nil.
	Waiting func(ctx context.Context, what string)
	in      int // the open FIFO, or -1; it stays open if a reader goes before the stream has begun
}

// UnavailableError says that the stream of a FIFO did not begin in time, or did not go on.
type UnavailableError struct {
	What    string // the path of the FIFO, and what did not happen
	Timeout time.Duration
	Flag    string // the flag that sets Timeout
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s within %s (%s)", e.What, e.Timeout, e.Flag)
}

// InvalidError says that the path of a FIFO leads to something that cannot be read as one.
type InvalidError struct {
	Path    string
	Problem string // what is wrong with Path, as the end of a sentence
	Hint    string
}

func (e *InvalidError) Error() string { return e.Path + " " + e.Problem + "\nhint: " + e.Hint }

// WriteError says that a FIFO or an output could not be made or written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// errReaderGone says that nobody reads the output any more. This is an early end, not a failure.
var errReaderGone = errors.New("the reader is gone")

// errEpochUnread says that the reader went before the epoch began. The next reader gets this epoch.
var errEpochUnread error = epochUnreadError{}

type epochUnreadError struct{}

func (epochUnreadError) Error() string { return errReaderGone.Error() + " before the stream has begun" }
func (epochUnreadError) Unwrap() error { return errReaderGone }

// Stream passes on one epoch after the other, and returns nil after the last one. If the reader of a pipe
// goes, Stream also returns nil. If the reader of a FIFO closes it, the reader that opens it next gets
// the next epoch. If ctx ends, Stream returns the cause of ctx. While it runs, no other process can stream
// the same channel.
//
// The error is an *UnavailableError, an *InvalidError, an *InUseError, a *WriteError, an error of
// Options.Convert, or one of the system.
func Stream(ctx context.Context, o Options) (err error) {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	unlock, err := lock(o.Prefix)
	if err != nil {
		return err
	}
	defer unlock()
	o.in = -1
	defer o.closeIn()
	defer func() { err = o.Output.finish(err, ctx.Err() != nil) }()
	for n := 0; o.Epochs == 0 || n < o.Epochs; {
		if err := o.Output.beginEpoch(ctx, n+1 != o.Epochs, o.Waiting); err != nil {
			return err
		}
		err := o.epoch(ctx, b, o.First+n)
		switch {
		case errors.Is(err, errReaderGone) && !o.Output.isFIFO:
			return nil
		case err != nil && !errors.Is(err, errReaderGone):
			return err
		}
		unread := errors.Is(err, errEpochUnread)
		if !unread {
			n++
		}
		if err := o.Output.endEpoch(unread); err != nil {
			return err
		}
	}
	return nil
}

// epoch streams the FIFO of one epoch.
func (o *Options) epoch(ctx context.Context, b *bell, number int) error {
	path := o.Prefix + "_" + strconv.Itoa(number)
	err := o.open(ctx, path)
	if errors.Is(err, errReaderGone) {
		return errEpochUnread
	}
	if err != nil {
		return err
	}
	defer o.closeIn()
	start := time.Now()
	c := newCopier(b, o, Epoch{Path: path, Number: number})
	if o.Convert == nil {
		err = c.splice(ctx)
	} else {
		err = o.Convert(c.reader(ctx), c.writer(ctx, c.idleOutput, o.Output))
	}
	if o.Ended != nil {
		c.epoch.Elapsed, c.epoch.Whole = time.Since(start), err == nil
		o.Ended(c.epoch)
	}
	_, isOutput := errors.AsType[*WriteError](err)
	if err == nil || isOutput || errors.Is(err, errReaderGone) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// closeIn closes the FIFO. An error does not matter, because the FIFO was only read.
func (o *Options) closeIn() {
	if o.in >= 0 {
		_ = unix.Close(o.in)
	}
	o.in = -1
}
