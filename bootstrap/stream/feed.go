package stream

import (
	"context"
	"fmt"
	"sync"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/channel"
)

// Feed streams channels to a trainer: one to its standard input, others to FIFOs that it opens. The nil Feed
// streams nothing: the trainer reads entrain's own standard input.
type Feed struct {
	stdin    int                // the descriptor that the trainer reads; 0 for entrain's own standard input
	stop     context.CancelFunc // ends the streams
	releases []func()           // each closes the write end of what the trainer reads
	ended    sync.WaitGroup     // waits for the streams' goroutines
	mu       sync.Mutex
	err      error // why the trainer has to end; protected by mu
}

// Start begins to stream the channels of a plan. The context that it returns ends with ctx, and when a stream
// has failed. After a failure the trainer's standard input and its FIFOs stay open until Close: the trainer
// must not take the failure for the end of the data.
func Start(ctx context.Context, log events.Log, p *plan.Plan) (context.Context, *Feed, error) {
	if p.Stdin == nil && p.Feeds == nil {
		return ctx, nil, nil
	}
	trainer, fail := context.WithCancelCause(ctx)
	streaming, stop := context.WithCancel(ctx)
	f := &Feed{stop: stop}
	begin := func(s *plan.Stream, out *channel.Output, outName string, atEnd func()) {
		f.ended.Go(func() {
			err := streamTo(streaming, log, s, out, outName)
			switch {
			case err == nil:
				atEnd()
			case streaming.Err() == nil:
				f.fail(fmt.Errorf("streaming channel %s to the trainer: %w", s.Channel, err))
				fail(err)
			}
		})
	}
	if err := f.open(p, begin); err != nil {
		f.Close()
		return ctx, nil, err
	}
	return trainer, f, nil
}

// open opens what the trainer reads, and then begins the streams. The function begin gets a function that
// closes the write end after a stream has ended well.
func (f *Feed) open(p *plan.Plan, begin func(*plan.Stream, *channel.Output, string, func())) error {
	outs := make([]*channel.Output, len(p.Feeds))
	for i, s := range p.Feeds {
		if err := s.CheckOutput("--feed "+s.Channel+"="+s.FIFO, s.FIFO, channel.RealPath); err != nil {
			return err
		}
		out, remove, err := channel.FIFO(s.FIFO)
		if err != nil {
			return OutputError(s.FIFO, err)
		}
		outs[i] = out
		f.releases = append(f.releases, remove)
	}
	if p.Stdin != nil {
		stdin, out, err := channel.Pipe()
		if err != nil {
			return err
		}
		release, err := out.Hold()
		if err != nil {
			return err
		}
		closePipe := sync.OnceFunc(release)
		f.stdin, f.releases = stdin, append(f.releases, closePipe)
		begin(p.Stdin, out, "the trainer's standard input", closePipe)
	}
	for i, s := range p.Feeds {
		begin(s, outs[i], s.FIFO, func() {})
	}
	return nil
}

// fail remembers the first failure.
func (f *Feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// Descriptor is the descriptor of the trainer's standard input. It is 0, entrain's own, for the nil Feed.
func (f *Feed) Descriptor() int {
	if f == nil {
		return 0
	}
	return f.stdin
}

// Failure is the error of the first stream that has failed, and so has ended the trainer; else nil.
func (f *Feed) Failure() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close ends the streams, and closes what the trainer reads. Call it when the trainer has ended.
func (f *Feed) Close() {
	if f == nil {
		return
	}
	f.stop()
	f.ended.Wait()
	for _, release := range f.releases {
		release()
	}
}
