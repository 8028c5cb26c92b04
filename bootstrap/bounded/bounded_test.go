package bounded_test

import (
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/bounded"
)

// TestReceiveWaitsNoLongerThanBound: it takes a value that is present at once, and gives up after the bound.
func TestReceiveWaitsNoLongerThanBound(t *testing.T) {
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

// TestTallyIsIdleWhenAllWorkHasEnded: work that begins while somebody waits counts too.
func TestTallyIsIdleWhenAllWorkHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var work bounded.Tally
		if !bounded.Wait(0, work.Idle()) {
			t.Error("a tally that counts no work is not idle")
		}
		start, first := time.Now(), make(chan struct{})
		work.Go(func() { <-first })
		done := work.Begin()
		time.AfterFunc(time.Second, func() { close(first) })
		time.AfterFunc(2*time.Second, func() { done(); done() })
		if bounded.Wait(time.Second+1, work.Idle()) {
			t.Error("the tally is idle after one of two pieces of work")
		}
		if !bounded.Wait(time.Hour, work.Idle()) || time.Since(start) != 2*time.Second {
			t.Errorf("the tally is idle after %s", time.Since(start))
		}
	})
}
