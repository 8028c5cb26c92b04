package bootstrap

import (
	"context"
	"errors"
	"time"

	"entrain/proc"
)

// giveUp is how long work that does not mind its context may go on after a signal: a mount that hangs keeps a system
// call for ever, and a helper program ends at once.
const giveUp = time.Second

// listen does work while somebody reads the signals. One that means the end ends the work's context, and then the wait for
// the work: it is a *proc.SignalError.
func (d *Doer) listen(work func(context.Context) error) error {
	ctx, release := d.signals.Context(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }() // until the process ends, where it hangs
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = within(giveUp, done)
	}
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(ctx)); ok {
		return stop
	}
	return err
}

// within waits for a result for a bounded time; nil is also that of none.
func within(bound time.Duration, done <-chan error) error {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return nil
	}
}

// Inspect is Inspect for who has taken over the signals. Words are those of the command; more is what else there is to
// look at.
func (d *Doer) Inspect(root string, env []string, spec string, words []string, more func(context.Context, *Inspection)) (*Inspection, error) {
	found := make(chan *Inspection, 1)
	err := d.listen(func(ctx context.Context) error {
		in := Inspect(ctx, root, env, spec, words...)
		more(ctx, in)
		found <- in
		return nil
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}
