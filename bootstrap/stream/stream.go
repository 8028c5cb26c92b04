// Package stream moves the bytes of Pipe-mode channels: to standard output or a path for the verb pipe, and to a trainer's
// standard input.
package stream

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/channel"
	"entrain/hostwait"
)

// To streams a channel to a path, or to standard output where the path is empty.
func To(ctx context.Context, log events.Log, s *plan.Stream, path string) error {
	out := channel.Descriptor(1)
	if path != "" {
		var err error
		if out, err = channel.Path(path); err != nil {
			return OutputError(path, err)
		}
	}
	return run(ctx, log, s, out, cmp.Or(path, "standard output"))
}

// run streams a channel to an output, which errors call to.
func run(ctx context.Context, log events.Log, s *plan.Stream, out *channel.Output, to string) error {
	waiting := func(ctx context.Context, what string) {
		hostwait.Often(ctx, time.Now(), func(elapsed time.Duration) {
			log.Info().Msgf("waiting for %s (%s so far)", what, elapsed)
		})
	}
	return OutputError(to, channel.Stream(ctx, channel.Options{
		Prefix: s.Prefix, First: s.First, Epochs: s.Epochs, Timeout: s.Timeout,
		Output: out, Convert: s.Converter(), Waiting: waiting,
	}))
}

// OutputError turns a failed write into an *output.Error; any other error stays as it is. The output is called what,
// unless the error has a path, which tells more.
func OutputError(what string, err error) error {
	if _, ok := errors.AsType[*channel.WriteError](err); ok {
		if e, named := errors.AsType[*fs.PathError](err); named {
			what = e.Path
		}
		return &output.Error{What: what, Err: err}
	}
	return err
}
