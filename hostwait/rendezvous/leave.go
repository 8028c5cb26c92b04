package rendezvous

import (
	"context"
	"errors"
	"time"

	"entrain/hostwait"
)

// Leave ends the session after End: a worker goes as soon as the leader knows how it ended, the leader when all others
// have gone or are lost. Where they were never released the leader cannot be reached yet, or others come late: both
// linger for that, until Hurry. What cannot be told to anybody is not waited for. What comes back is the failure of another
// host that counts for this one too, or nil.
func (s *Session) Leave(ctx context.Context, linger time.Duration) error {
	lingering, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	go func() {
		wait(lingering, s.hurry)
		cancel()
	}()
	if l, leads := s.line.(*leader); leads {
		l.stay(ctx, lingering)
	} else {
		s.tell(ctx, lingering)
	}
	close(s.hush)
	s.line.close()
	<-s.done
	s.cancel(nil)
	if e, ok := errors.AsType[*PeerError](context.Cause(s.ctx)); ok {
		return e
	}
	return nil
}

// Hurry ends the lingering of Leave.
func (s *Session) Hurry() { s.hurried() }

// tell waits until the leader knows how this host ended. A leader that was reached is waited for until it is lost; one that
// was not, or not any more, only while this host lingers.
func (s *Session) tell(ctx, lingering context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		wait(ctx, s.done)
		cancel()
	}()
	hostwait.Pause(ctx, farewellTime)
	for ctx.Err() == nil && !s.isReleased() && lingering.Err() == nil {
		wait(ctx, lingering.Done())
	}
	until := time.Now().Add(s.c.PeerTimeout)
	for ctx.Err() == nil && time.Now().Before(until) && (s.isReleased() || s.isReachable()) {
		hostwait.Pause(ctx, farewellPause)
	}
}

// isReachable says whether the leader has answered the last time.
func (s *Session) isReachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered && s.trouble == nil
}
