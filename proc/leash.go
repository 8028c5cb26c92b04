package proc

import (
	"sync"
	"syscall"
	"time"
)

// Leash lets the caller of Run decide when SIGTERM and SIGKILL come. With a leash, Run passes no SIGTERM on
// by itself: it calls Options.Stop. It sends SIGTERM to the program, and SIGKILL to everything, at the
// times that the leash says.
type Leash struct {
	signals *Signals

	mu         sync.Mutex
	term, kill time.Time // when SIGTERM and SIGKILL are due; zero for never
}

// NewLeash makes a leash for the Run that gets the same signals.
func NewLeash(signals *Signals) *Leash { return &Leash{signals: signals} }

// Shorten says how long from now SIGTERM and SIGKILL come at the latest.
func (l *Leash) Shorten(term, kill time.Duration) {
	now := time.Now()
	l.mu.Lock()
	l.term, l.kill = earlier(l.term, now.Add(term)), earlier(l.kill, now.Add(kill))
	l.mu.Unlock()
	l.signals.wakeUp()
}

// due says whether SIGTERM and SIGKILL are due, and when to ask again. It says each of the two once.
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

// followLeash sends the signals that are due by the leash, and says when to look again; zero for never.
func (r *run) followLeash() (next time.Time) {
	term, kill, next := r.o.Leash.due(time.Now())
	switch {
	case kill:
		r.exit.Killed = true
		r.signalAll(syscall.SIGKILL)
		// endLeftovers waits for guests that live, as for any leftovers. The ends of a team's programs are on
		// their way, unless one hangs in the kernel.
		r.ended = r.ended || r.pid == 0 && r.o.Team == nil
		r.giveUp = time.Now().Add(killTimeout)
	case r.o.Team != nil && !r.giveUp.IsZero() && !time.Now().Before(r.giveUp):
		r.ended = true
	case term && r.pid == 0:
		r.signalAll(syscall.SIGTERM, syscall.SIGCONT)
	case term:
		r.send(syscall.SIGTERM)
		if r.stopped != 0 {
			r.send(syscall.SIGCONT)
		}
	}
	return earlier(next, r.giveUp)
}

// earlier is the first of two moments. A zero one never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
