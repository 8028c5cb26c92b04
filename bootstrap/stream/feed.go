package stream

import (
	"context"
	"fmt"
	"sync"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/channel"
)

// Feed streams a channel to the trainer's standard input. The nil Feed streams nothing: the trainer reads
// entrain's own standard input.
type Feed struct {
	stdin     int                // the descriptor that the trainer reads
	stop      context.CancelFunc // ends the stream
	closePipe func()             // closes the write end of the trainer's standard input
	ended     sync.WaitGroup     // waits for the stream's goroutine
	mu        sync.Mutex
	err       error // why the trainer has to end; protected by mu
}

// Start begins to stream. The context that it returns ends with ctx, and when the stream has failed. After a
// failure the trainer's standard input stays open until Close: the trainer must not take the failure for the
// end of the data.
func Start(ctx context.Context, log events.Log, s *plan.Stream) (context.Context, *Feed, error) {
	if s == nil {
		return ctx, nil, nil
	}
	stdin, out, err := channel.Pipe()
	if err != nil {
		return ctx, nil, err
	}
	release, err := out.Hold()
	if err != nil {
		return ctx, nil, err
	}
	trainer, fail := context.WithCancelCause(ctx)
	streaming, stop := context.WithCancel(ctx)
	f := &Feed{stdin: stdin, stop: stop, closePipe: sync.OnceFunc(release)}
	f.ended.Go(func() {
		err := streamTo(streaming, log, s, out, "the trainer's standard input")
		switch {
		case err == nil:
			f.closePipe()
		case streaming.Err() == nil:
			f.mu.Lock()
			f.err = fmt.Errorf("streaming channel %s to the trainer: %w", s.Channel, err)
			f.mu.Unlock()
			fail(err)
		}
	})
	return trainer, f, nil
}

// Descriptor is the descriptor of the trainer's standard input. It is 0, entrain's own, for the nil Feed.
func (f *Feed) Descriptor() int {
	if f == nil {
		return 0
	}
	return f.stdin
}

// Failure is the error of a stream that has failed, and so has ended the trainer; else nil.
func (f *Feed) Failure() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close ends the stream, and closes the trainer's standard input. Call it when the trainer has ended.
func (f *Feed) Close() {
	if f == nil {
		return
	}
	f.stop()
	f.ended.Wait()
	f.closePipe()
}
