package bounded_test

import (
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/bounded"
)

// TestBounds: what comes in time is taken, and nobody waits longer than the bound for what does not come.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		values := make(chan int, 1)
		values <- 7
		if v, ok := bounded.Receive(time.Hour, values); v != 7 || !ok || time.Since(start) != 0 {
			t.Errorf("a value that is present: %d, %v after %s", v, ok, time.Since(start))
		}
		if v, ok := bounded.Receive(time.Second, values); v != 0 || ok || time.Since(start) != time.Second {
			t.Errorf("a value that does not come: %d, %v after %s", v, ok, time.Since(start))
		}
	})
}

// TestTally: work that begins while somebody waits is waited for too.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var work bounded.Tally
		if !bounded.Closed(0, work.Idle()) {
			t.Error("no work was waited for")
		}
		start, first := time.Now(), make(chan struct{})
		work.Go(func() { <-first })
		done := work.Begin()
		time.AfterFunc(time.Second, func() { close(first) })
		time.AfterFunc(2*time.Second, func() { done(); done() })
		if bounded.Closed(time.Second+1, work.Idle()) {
			t.Error("one of two pieces of work was enough")
		}
		if !bounded.Closed(time.Hour, work.Idle()) || time.Since(start) != 2*time.Second {
			t.Errorf("the work was waited for until %s", time.Since(start))
		}
	})
}
