// Package bounded waits for something, but never longer than a bound.
package bounded

import (
	"sync"
	"time"
)

// Receive takes a value from a channel. ok is false if no value comes within the bound, or the channel is
// closed.
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

// Wait waits until a channel is closed. It returns false if that does not happen within the bound.
func Wait(bound time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true // also if the bound is 0
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

// Tally counts pieces of work in progress. Unlike with a sync.WaitGroup, work may begin while somebody waits
// for the end of all work. The zero Tally counts no work.
type Tally struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // closed when the count is 0 again; nil unless somebody waits
}

// Begin counts one more piece of work. The function done ends this piece; a second call of it does nothing.
func (t *Tally) Begin() (done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	return sync.OnceFunc(t.endOne)
}

// endOne counts one piece of work less.
func (t *Tally) endOne() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
	if t.count == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// Go does work in a goroutine, and counts it.
func (t *Tally) Go(work func()) {
	done := t.Begin()
	go func() {
		defer done()
		work()
	}()
}

// Idle returns a channel that is closed when no work is in progress.
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

// WaitIdle waits until no work of any tally is in progress, but not longer than the bound for all of them
// together.
func WaitIdle(bound time.Duration, tallies ...*Tally) {
	end := time.Now().Add(bound)
	for _, tally := range tallies {
		if !Wait(time.Until(end), tally.Idle()) {
			return
		}
	}
}
