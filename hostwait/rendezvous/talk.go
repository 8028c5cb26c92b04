package rendezvous

import (
	"context"
	"time"
)

// talk is the conversation: one hello after the other, and a new one at once when there is something to say.
func (s *Session) talk() {
	defer close(s.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.hush
		cancel()
	}()
	soon, early := context.WithTimeout(ctx, firstHelloWait)
	wait(soon, s.wake) // mostly all names resolve at once, and there is one thing to say instead of two
	early()
	for ctx.Err() == nil {
		h := s.hello()
		v, woken, err := s.exchange(ctx, h)
		switch {
		case woken:
		case err != nil:
			s.cancel(err)
			return
		case s.take(v, h):
			return
		}
	}
}

func (s *Session) exchange(ctx context.Context, h *hello) (v view, woken bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		wait(ctx, s.wake)
		cancel()
	}()
	v, err = s.line.exchange(ctx, h, s.note)
	return v, err != nil && ctx.Err() != nil, err
}

// wait returns when something comes, or ctx ends.
func wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// hello is what there is to say now.
func (s *Session) hello() *hello {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.wake: // for what is said here
	default:
	}
	now := time.Now()
	s.self.Count++
	s.self.Clock, s.self.Seen, s.self.Hold = now.UnixMicro(), s.seen.Seq, s.c.answerHold().Milliseconds()
	if !s.isReleased() {
		s.self.Hold = min(answerHoldBeforeRelease, s.c.answerHold()).Milliseconds()
	}
	if s.end != nil {
		e := s.end.cross(now)
		s.self.Ended = &e
	}
	if s.fault != nil {
		s.self.Fault = &fault{Host: s.faultHost, ended: s.fault.cross(now)}
	}
	h := s.self
	h.joined = s.isReleased()
	return &h
}

// isOwn says whether the first failure is what this host ended with. It may as well be taken for lost, or have told a fault.
func (s *Session) isOwn(f *failure) bool {
	return f.Host == s.c.Self.Host && s.end != nil && f.Code == s.end.Code && f.Text == s.end.Text
}

// note keeps why the leader cannot be reached.
func (s *Session) note(trouble error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = trouble
}

// take looks at what the leader says. On a worker it is true when the leader knows how this host ended, and has said
// whether that was the first failure.
func (s *Session) take(v view, h *hello) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble, s.answered = nil, true
	wasStopped, wasQuiet := s.seen.Stopped != "", s.seen.Quiet
	if len(v.Members) == 0 {
		v.Members = s.seen.Members
	}
	s.seen = v
	if v.Released && !s.isReleased() {
		close(s.released)
	}
	host := s.c.Self.Host
	if f := v.First; f != nil && !s.c.Ignore && !s.isOwn(f) {
		s.cancel(&PeerError{Host: f.Host, Code: failureCode(f.Code), Text: f.Text})
	}
	switch {
	case v.Stopped == "" || wasStopped:
	case s.c.Launches && v.Released:
		s.c.OnStop()
	case v.Stopped != host:
		s.cancel(&StopError{Host: v.Stopped})
	}
	if s.c.Launches && v.Quiet && !wasQuiet {
		s.c.OnQuiet()
	}
	if s.c.Launches && v.Over != nil && !s.c.leads() {
		s.cancel(&OverError{Code: *v.Over})
	}
	return !s.c.leads() && h.Ended != nil && (h.Ended.Code == 0 || v.First != nil || v.Stopped != "")
}
