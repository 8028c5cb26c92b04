package stream

import (
	"context"
	"fmt"
	"sync"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/channel"
)

// Feed streams a channel to the trainer's standard input. The nil Feed is that of a trainer that reads entrain's own.
type Feed struct {
	stdin   int // what the trainer reads
	stop    context.CancelFunc
	release func() // closes the stream's end
	ended   sync.WaitGroup
	mu      sync.Mutex
	err     error // behind mu: why the trainer has to end
}

// Start begins to stream. The context that it returns ends when the stream has failed: the trainer must not take that for
// the data's end, so its input stays open meanwhile.
func Start(ctx context.Context, log events.Log, s *plan.Stream) (context.Context, *Feed, error) {
	if s == nil {
		return ctx, nil, nil
	}
	stdin, out, err := channel.Pipe()
	if err != nil {
		return ctx, nil, err
	}
	hold, err := out.Hold()
	if err != nil {
		return ctx, nil, err
	}
	trainer, fail := context.WithCancelCause(ctx)
	streaming, stop := context.WithCancel(ctx)
	f := &Feed{stdin: stdin, stop: stop, release: sync.OnceFunc(hold)}
	f.ended.Go(func() {
		err := run(streaming, log, s, out, "the trainer's standard input")
		switch {
		case err == nil:
			f.release()
		case streaming.Err() == nil:
			f.mu.Lock()
			f.err = fmt.Errorf("streaming channel %s to the trainer: %w", s.Channel, err)
			f.mu.Unlock()
			fail(err)
		}
	})
	return trainer, f, nil
}

// Descriptor is the trainer's standard input; 0 is our own.
func (f *Feed) Descriptor() int {
	if f == nil {
		return 0
	}
	return f.stdin
}

// Failure is why the trainer was ended, if that was the stream's fault.
func (f *Feed) Failure() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close ends the stream once nobody needs it.
func (f *Feed) Close() {
	if f == nil {
		return
	}
	f.stop()
	f.ended.Wait()
	f.release()
}
