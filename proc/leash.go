package proc

import (
	"sync"
	"syscall"
	"time"
)

// Leash is how somebody else ends what Run runs. With one Run passes no SIGTERM on by itself: it calls Options.Stop, and
// sends SIGTERM to the program and SIGKILL to everything when the leash says so.
type Leash struct {
	signals *Signals

	mu         sync.Mutex
	term, kill time.Time // zero for never
}

// NewLeash makes the leash of the Run that gets the same signals.
func NewLeash(signals *Signals) *Leash { return &Leash{signals: signals} }

// Shorten says after what times from now SIGTERM and SIGKILL come at the latest.
func (l *Leash) Shorten(term, kill time.Duration) {
	now := time.Now()
	l.mu.Lock()
	l.term, l.kill = earlier(l.term, now.Add(term)), earlier(l.kill, now.Add(kill))
	l.mu.Unlock()
	l.signals.wakeUp()
}

// due says whether SIGTERM and SIGKILL are due, each once, and when to look again.
func (l *Leash) due(now time.Time) (term, kill bool, next time.Time) {
	if l == nil {
		return false, false, time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if term = !l.term.IsZero() && !now.Before(l.term); term {
		l.term = time.Time{}
	}
	if kill = !l.kill.IsZero() && !now.Before(l.kill); kill {
		l.kill = time.Time{}
	}
	return term, kill, earlier(l.term, l.kill)
}

// pull does what is due.
func (r *run) pull() (next time.Time) {
	term, kill, next := r.o.Leash.due(time.Now())
	switch {
	case kill:
		r.exit.Killed = true
		r.signalAll(syscall.SIGKILL)
	case term && r.pid == 0:
		r.signalAll(syscall.SIGTERM, syscall.SIGCONT)
	case term:
		r.send(syscall.SIGTERM)
		r.send(syscall.SIGCONT)
	}
	return next
}
