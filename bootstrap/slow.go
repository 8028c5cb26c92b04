package bootstrap

import (
	"sync/atomic"
	"time"

	"entrain/bootstrap/world"
)

// looked is a path that is looked at.
type looked struct {
	path  string
	since time.Time
	told  int // how many of the marks are over
}

// watchLooks returns a function that takes the path which is looked at. While that path stays the same, slow
// is called from time to time. The function end ends the watch. slow may be nil.
func watchLooks(slow func(path string, elapsed time.Duration)) (look world.Look, end func()) {
	if slow == nil {
		return func(string) {}, func() {}
	}
	marks := []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}
	var now atomic.Pointer[looked]
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			l := now.Load()
			if l != nil && l.told < len(marks) && time.Since(l.since) >= marks[l.told] {
				slow(l.path, marks[l.told])
				l.told++
			}
		}
	}()
	look = func(path string) { now.Store(&looked{path: path, since: time.Now()}) }
	return look, func() { close(over); <-ended }
}
