// Package bounded waits for something, but not for ever.
package bounded

import (
	"sync"
	"time"
)

// Receive takes a value from a channel. It is false where none has come within the bound, and where the channel is closed.
func Receive[T any](bound time.Duration, from <-chan T) (value T, ok bool) {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case value, ok = <-from:
		return value, ok
	case <-timer.C:
		return value, false
	}
}

// Closed waits until a channel is closed. It is false where that has not happened within the bound.
func Closed(bound time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true // even where the bound is 0
	default:
	}
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// Tally counts work in progress. More may begin while somebody waits for the end, which a sync.WaitGroup forbids. The zero
// Tally counts nothing yet.
type Tally struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // closed when the count is 0 again; nil unless somebody waits
}

// Begin counts one piece of work more. The function that it returns ends it.
func (t *Tally) Begin() (done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	return sync.OnceFunc(t.end)
}

func (t *Tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
	if t.count == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// Go does work in a goroutine that counts.
func (t *Tally) Go(work func()) {
	done := t.Begin()
	go func() {
		defer done()
		work()
	}()
}

// Idle is closed when no work is in progress.
func (t *Tally) Idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == 0 {
		idle := make(chan struct{})
		close(idle)
		return idle
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	return t.idle
}

// AllIdle waits until no work of any tally is in progress, at most for the bound.
func AllIdle(bound time.Duration, all ...*Tally) {
	for end := time.Now().Add(bound); len(all) > 0; all = all[1:] {
		if !Closed(time.Until(end), all[0].Idle()) {
			return
		}
	}
}
