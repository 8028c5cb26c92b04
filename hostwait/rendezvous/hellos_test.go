package rendezvous

import (
	"context"
	"sync"
	"testing"
	"time"
)

// linkFunc is a link whose answers come from a function.
type linkFunc func(ctx context.Context) error

func (f linkFunc) exchange(ctx context.Context, _ *hello, _ func(error)) (view, error) {
	return view{}, f(ctx)
}
func (f linkFunc) close() {}

// TestChangeAndItsSignalAreOneStep: a hello must not say a change whose signal comes later. The signal
// would give up that hello, and the leader may leave after a hello that says the end of its host.
func TestChangeAndItsSignalAreOneStep(t *testing.T) {
	for range 20000 {
		s := &Session{toSay: make(chan struct{}, 1)}
		var observer sync.WaitGroup
		observer.Go(func() {
			for said := false; !said; {
				s.mu.Lock()
				said = s.self.Stopped
				if said && len(s.toSay) == 0 {
					t.Error("the change has no signal yet")
				}
				s.mu.Unlock()
			}
		})
		s.Stopped()
		observer.Wait()
	}
}

// TestEveryChangeInterruptsTheExchange: the signal of a change reaches the exchange that is under way, and
// not the end of the one before it.
func TestEveryChangeInterruptsTheExchange(t *testing.T) {
	s := &Session{toSay: make(chan struct{}, 1)}
	for range 2000 {
		s.link = linkFunc(func(context.Context) error { return nil })
		if _, interrupted, err := s.exchange(t.Context(), &hello{}); interrupted || err != nil {
			t.Fatalf("interrupted: %v, %v", interrupted, err)
		}
		s.link = linkFunc(func(ctx context.Context) error {
			s.Stopped()
			select {
			case <-ctx.Done():
			case <-time.After(testTimeout):
				t.Error("the change interrupts nothing")
			}
			return ctx.Err()
		})
		if _, interrupted, _ := s.exchange(t.Context(), &hello{}); !interrupted {
			t.Fatal("the exchange does not report the interruption")
		}
	}
}

func (f linkFunc) stands(*End, error) bool { return false }
