package rendezvous

import (
	"context"
	"errors"
	"time"

	"entrain/hostwait"
)

// Leave ends the session after End. A worker leaves once it knows that the leader knows how the worker ended.
// It says goodbye then. The leader leaves when all other hosts have said goodbye or are lost. Before the
// release the leader may not be reachable yet, and other hosts may join late: Leave then stays up to
// stayUnreleased, or until Hurry. It does not wait for a leader that is lost or gone. It returns nil, or the
// failure of another host as a *PeerError if that counts for this host too.
func (s *Session) Leave(ctx context.Context, stayUnreleased time.Duration) error {
	staying, cancel := context.WithTimeout(ctx, stayUnreleased)
	defer cancel()
	go func() {
		waitFor(staying, s.hurried)
		cancel()
	}()
	if l, leads := s.link.(*leader); leads {
		l.waitForDepartures(ctx, staying)
	} else {
		s.waitUntilSettled(ctx, staying)
	}
	close(s.leaving)
	<-s.hellosEnded
	s.link.close()
	s.cancel(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := errors.AsType[*PeerError](context.Cause(s.ctx)); ok {
		return s.withLatest(e)
	}
	if e, ok := errors.AsType[*PeerError](s.late); ok {
		return s.withLatest(e)
	}
	return nil
}

// withLatest returns another host's failure with what is known of it by now: the launcher may have said more
// since this host was told of it. The caller holds mu.
func (s *Session) withLatest(e *PeerError) *PeerError {
	latest := *e
	if f := s.lastView.First; f != nil && f.Host == e.Host {
		latest.Text, latest.Last = f.Text, s.lastView.Last
	}
	return &latest
}

// Hurry ends the time for which Leave stays before the release.
func (s *Session) Hurry() { s.hurry() }

// waitUntilSettled waits until an answer of the leader settles how this host ended, and until the goodbye is
// said. A host that is released waits until the leader counts as lost. Any other host waits for farewellTime
// in any case, or for farewellTimeReached if the leader has answered. Then it waits until staying ends, and
// after that up to PeerTimeout for a leader that answers.
func (s *Session) waitUntilSettled(ctx, staying context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		waitFor(ctx, s.hellosEnded)
		cancel()
	}()
	if s.isReleased() {
		hostwait.Pause(ctx, s.config.settleBound())
		return
	}
	hostwait.Pause(ctx, s.farewellTime())
	for ctx.Err() == nil && !s.isReleased() && staying.Err() == nil {
		waitFor(ctx, staying.Done())
	}
	until := time.Now().Add(s.config.PeerTimeout)
	for ctx.Err() == nil && time.Now().Before(until) && s.isReachable() {
		hostwait.Pause(ctx, farewellPause)
	}
}

// farewellTime is how long a host that is not released stays for the answer to its end in any case.
func (s *Session) farewellTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered {
		return farewellTimeReached
	}
	return farewellTime
}

// isReachable reports whether the leader has answered the last hello.
func (s *Session) isReachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered && s.unreachable == nil
}
