package rendezvous

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"entrain/hostwait"
)

// Session is a host's part in the rendezvous. It talks to the leader, on the leader to itself, until Leave.
type Session struct {
	c       Config
	ctx     context.Context
	cancel  context.CancelCauseFunc
	line    line
	wake    chan struct{} // there is something to say
	hush    chan struct{} // closed when there is no more
	done    chan struct{} // closed when all is said
	hurry   chan struct{} // closed when nobody is to be waited for who has not come
	hurried func()        // closes it

	mu        sync.Mutex
	self      hello
	end       *End
	fault     *End
	faultHost string
	seen      view
	released  chan struct{} // closed once
	trouble   error         // why the leader cannot be reached, or nil
	answered  bool          // the leader has
}

// line is the way to the leader.
type line interface {
	// exchange says a hello and hears the answer. While it tries again it tells why; an error means that there is no hope,
	// or that ctx ended.
	exchange(ctx context.Context, h *hello, trouble func(error)) (view, error)
	close()
}

// Open takes part in the rendezvous: the leader listens, and every host begins to tell of itself.
func Open(c Config) (*Session, error) {
	s := &Session{c: c, wake: make(chan struct{}, 1), hush: make(chan struct{}), hurry: make(chan struct{}), done: make(chan struct{}), released: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.hurried = sync.OnceFunc(func() { close(s.hurry) })
	s.self = hello{
		Protocol: Protocol, Version: c.Version, Mode: c.Mode, Instance: rand.Text(), Member: c.Self, Digests: c.Digests,
	}
	if c.leads() {
		l, err := listen(&s.c)
		if err != nil {
			return nil, err
		}
		s.line = l
	} else {
		s.line = dial(&s.c)
	}
	go s.talk()
	return s, nil
}

// Context ends when this host should: with a *PeerError or a *StopError.
func (s *Session) Context() context.Context { return s.ctx }

// Stopped says that this host was sent SIGTERM: all are.
func (s *Session) Stopped() { s.say(func() { s.self.Stopped = true }) }

// End says how this host's work ended. The first word counts.
func (s *Session) End(e End) {
	e.Text = oneLine(e.Text)
	if e.Code != 0 {
		e.Code = failureCode(e.Code)
	}
	s.say(func() {
		if s.end == nil {
			s.end = &e
		}
	})
}

// Ready says that all names resolve here, or with some pending that those do not.
func (s *Session) Ready(pending []string) {
	s.say(func() { s.self.Ready, s.self.Pending = len(pending) == 0, pending[:min(len(pending), maxNames)] })
}

func (s *Session) say(change func()) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Gather waits until all hosts are released, and gives their table in the order of ranks. It ends before that with
// what ended Context, or ctx.
func (s *Session) Gather(ctx context.Context) ([]Member, error) {
	select {
	case <-s.released:
		return s.table()
	case <-s.ctx.Done():
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	if s.ctx.Err() != nil {
		cause = context.Cause(s.ctx)
	}
	if _, over := errors.AsType[*OverError](cause); over && s.isReleased() {
		return s.table() // a launcher's end may come with the release, and its success is none of the wait's errors
	}
	return nil, cause
}

// table is what all hosts tell of themselves, in the order of ranks.
func (s *Session) table() (members []Member, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = json.Unmarshal(s.seen.Members, &members)
	return members, err
}

// Missing are the hosts that are waited for, as far as they are known here.
func (s *Session) Missing() []hostwait.Missing {
	if l, leads := s.line.(*leader); leads {
		return l.missing()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble != nil {
		return []hostwait.Missing{{Host: s.c.leader(), Err: s.trouble}}
	}
	var missing []hostwait.Missing
	for _, a := range s.seen.Missing {
		missing = append(missing, hostwait.Missing{Host: a.Host, Err: absent(a.Why)})
	}
	return missing
}

func (s *Session) isReleased() bool {
	select {
	case <-s.released:
		return true
	default:
		return false
	}
}

// talk is the conversation: one hello after the other, and a new one at once when there is something to say.
func (s *Session) talk() {
	defer close(s.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.hush
		cancel()
	}()
	soon, early := context.WithTimeout(ctx, time.Second/2)
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
	s.self.Clock, s.self.Seen, s.self.Hold = now.UnixMicro(), s.seen.Seq, s.c.hold().Milliseconds()
	if !s.isReleased() {
		s.self.Hold = min(gatherHold, s.c.hold()).Milliseconds()
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
