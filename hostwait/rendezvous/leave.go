package rendezvous

import (
	"context"
	"errors"
	"time"

	"entrain/hostwait"
)

// Leave ends the session after End. A worker leaves as soon as the leader knows how the worker ended. The
// leader leaves when all other hosts have left or are lost. Before the release the leader may not be
// reachable yet, and other hosts may join late: Leave then stays up to stayUnreleased, or until Hurry. It
// does not wait for a leader that is lost or gone. It returns nil, or the failure of another host as a
// *PeerError if that counts for this host too.
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
	s.link.close()
	<-s.hellosEnded
	s.cancel(nil)
	if e, ok := errors.AsType[*PeerError](context.Cause(s.ctx)); ok {
		return e
	}
	return nil
}

// Hurry ends the time for which Leave stays before the release.
func (s *Session) Hurry() { s.hurry() }

// waitUntilSettled waits until an answer of the leader settles how this host ended. It waits for
// farewellTime in any case. A host that is not released then waits until staying ends. After that it
// waits up to PeerTimeout for a leader that has released it, or that answers.
func (s *Session) waitUntilSettled(ctx, staying context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		waitFor(ctx, s.hellosEnded)
		cancel()
	}()
	hostwait.Pause(ctx, farewellTime)
	for ctx.Err() == nil && !s.isReleased() && staying.Err() == nil {
		waitFor(ctx, staying.Done())
	}
	until := time.Now().Add(s.config.PeerTimeout)
	for ctx.Err() == nil && time.Now().Before(until) && (s.isReleased() || s.isReachable()) {
		hostwait.Pause(ctx, farewellPause)
	}
}

// isReachable reports whether the leader has answered the last hello.
func (s *Session) isReachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered && s.unreachable == nil
}
