package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"entrain/channel"
	"entrain/hostwait"
)

// Pipe streams a channel to a path, or to standard output where that is empty.
func (d *Doer) Pipe(s *Stream, path string) error {
	out := channel.Descriptor(1)
	if path != "" {
		var err error
		if out, err = channel.Path(path); err != nil {
			return outputError(path, err)
		}
	}
	ctx, release := d.signals.Context(context.Background())
	defer release()
	return d.stream(ctx, s, out, cmp.Or(path, "standard output"))
}

// stream streams a channel to an output, which errors call to.
func (d *Doer) stream(ctx context.Context, s *Stream, out *channel.Output, to string) error {
	return outputError(to, channel.Stream(ctx, channel.Options{
		Prefix: s.Prefix, First: s.First, Epochs: s.Epochs, Timeout: s.Timeout,
		Output: out, Convert: s.convert(), Waiting: d.tellWaiting,
	}))
}

func (d *Doer) tellWaiting(ctx context.Context, what string) {
	hostwait.Often(ctx, time.Now(), func(elapsed time.Duration) { d.log.Info().Msgf("waiting for %s (%s so far)", what, elapsed) })
}

// outputError is what an output's error is called here. The path in it, if there is one, tells more than what does.
func outputError(what string, err error) error {
	if _, ok := errors.AsType[*channel.WriteError](err); ok {
		if e, named := errors.AsType[*fs.PathError](err); named {
			what = e.Path
		}
		return &OutputError{What: what, Err: err}
	}
	return err
}
