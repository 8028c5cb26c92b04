package rendezvous

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// sayHellos says one hello after the other until Leave. The leader holds each answer back until there is
// news. If this host has something to say meanwhile, sayHellos gives the answer up and says the next hello
// at once.
func (s *Session) sayHellos() {
	defer close(s.hellosEnded)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.leaving
		cancel()
	}()
	first, stop := context.WithTimeout(ctx, firstHelloWait)
	waitFor(first, s.toSay)
	stop()
	for ctx.Err() == nil {
		h := s.nextHello()
		v, interrupted, err := s.exchange(ctx, h)
		switch {
		case interrupted:
		case err != nil:
			s.endWith(err)
			return
		case s.takeView(v, h):
			s.sayGoodbye(ctx)
			return
		}
	}
}

// endWith ends Context, since no further hello can be said. It does not if this host's own end stands.
func (s *Session) endWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil || !s.link.stands(s.end, err) {
		s.failWith(err)
	}
}

// failWith ends Context. Where the end of the launcher has ended it already, the error is kept for Leave.
func (s *Session) failWith(err error) {
	_, over := errors.AsType[*OverError](context.Cause(s.ctx))
	if over && s.config.Launches && s.late == nil {
		s.late = err
	}
	s.cancel(err)
}

// sayGoodbye tells the leader that this host needs it no more. If the answer does not come in time, the
// leader finds that out by the silence of this host.
func (s *Session) sayGoodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.goodbyeTime())
	defer cancel()
	h := s.nextHello()
	h.Bye, h.Hold = true, 0
	_, _ = s.link.exchange(ctx, h, func(error) {})
}

// exchange says a hello and returns the answer. It reports whether it gave up because this host has
// something to say.
func (s *Session) exchange(ctx context.Context, h *hello) (v view, interrupted bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait() // otherwise it could take the signal that is meant for the next exchange
	defer cancel()
	watch.Go(func() {
		waitFor(ctx, s.toSay)
		cancel()
	})
	v, err = s.link.exchange(ctx, h, s.noteTrouble)
	return v, err != nil && ctx.Err() != nil, err
}

// waitFor returns when c is closed or gives an element, or when ctx ends.
func waitFor(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// nextHello makes a hello of the present state.
func (s *Session) nextHello() *hello {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.toSay: // this hello says it
	default:
	}
	now := time.Now()
	s.self.Count++
	s.self.Clock, s.self.made, s.self.Seen = s.clock.at(now), now, s.lastView.Seq
	s.self.Hold = s.config.answerHold().Milliseconds()
	if !s.isReleased() {
		s.self.Hold = min(answerHoldBeforeRelease, s.config.answerHold()).Milliseconds()
	}
	if s.end != nil {
		s.self.Hold = min(s.self.Hold, lastWordHold.Milliseconds())
		e := s.end.toWire(now)
		e.said = s.said
		s.self.Ended = &e
	}
	if s.fault != nil {
		s.self.Fault = &fault{Host: s.faultHost, ended: s.fault.toWire(now)}
	}
	h := s.self
	h.released = s.isReleased()
	if s.answered {
		h.Command = nil
	}
	return &h
}

// isOwn reports whether the first failure is the end of this host. The first failure can also name this
// host for another reason: because the host was lost, or because it reported a fault.
func (s *Session) isOwn(f *failure) bool {
	return f.Host == s.config.Self.Host && s.end != nil && f.Code == s.end.Code &&
		strings.HasPrefix(f.Text, s.end.Text) // the launcher may have said more about it
}

// noteTrouble keeps the reason why the leader does not answer.
func (s *Session) noteTrouble(trouble error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreachable = trouble
}

// leaderIsOver ends Context because the leader's work has ended with a code.
func (s *Session) leaderIsOver(code int) {
	if (s.config.Launches || s.config.UntilLeader) && !s.config.leads() {
		s.cancel(&OverError{Code: code})
	}
}

// takeStop acts on a stop of which the leader tells.
func (s *Session) takeStop(v view) {
	switch {
	case s.config.Launches && v.Released:
		s.config.OnStop()
	case v.Stopped != s.config.Self.Host:
		s.cancel(&StopError{Host: v.Stopped})
	}
}

// takeView acts on an answer of the leader. It returns true if no further hello is needed: a worker has
// ended, and the answer settles its end.
func (s *Session) takeView(v view, h *hello) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreachable, s.answered = nil, true
	wasStopped, wasQuiet := s.lastView.Stopped != "", s.lastView.Quiet
	if len(v.Members) == 0 {
		v.Members = s.lastView.Members
	}
	s.lastView = v
	if v.Released && !s.isReleased() {
		close(s.released)
	}
	restarts := s.noteRestart(&v)
	if f := v.First; f != nil && !restarts && !s.config.Ignore && !s.isOwn(f) {
		s.failWith(&PeerError{Host: f.Host, Code: failureCode(f.Code), Text: f.Text})
	}
	if v.Stopped != "" && !wasStopped {
		s.takeStop(v)
	}
	if s.config.Launches && v.Quiet && !wasQuiet {
		s.config.OnQuiet()
	}
	if v.Over != nil && !restarts {
		s.leaderIsOver(*v.Over)
	}
	if restarts || h.Ended == nil || h.Restarts != s.self.Restarts || !v.settles(h.Ended, &s.config) {
		return false
	}
	s.setSettled()
	return !s.config.leads()
}
