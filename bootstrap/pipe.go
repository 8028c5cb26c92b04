package bootstrap

import (
	"context"
	"errors"
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
			return outputError(err)
		}
	}
	ctx, release := d.signals.Context(context.Background())
	defer release()
	return d.stream(ctx, s, out)
}

func (d *Doer) stream(ctx context.Context, s *Stream, out *channel.Output) error {
	return outputError(channel.Stream(ctx, channel.Options{
		Prefix: s.Prefix, First: s.First, Epochs: s.Epochs, Timeout: s.Timeout,
		Output: out, Convert: s.convert(), Waiting: d.tellWaiting,
	}))
}

func (d *Doer) tellWaiting(ctx context.Context, what string) {
	hostwait.Often(ctx, time.Now(), func(elapsed time.Duration) { d.log.Info().Msgf("waiting for %s (%s so far)", what, elapsed) })
}

// outputError is what an output's error is called here.
func outputError(err error) error {
	if _, ok := errors.AsType[*channel.WriteError](err); ok {
		return &OutputError{Err: err}
	}
	return err
}
