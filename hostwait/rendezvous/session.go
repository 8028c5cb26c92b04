package rendezvous

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"

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
	var err error
	if c.leads() {
		s.line, err = listen(&s.c)
	} else {
		s.line, err = dial(&s.c)
	}
	if err != nil {
		return nil, err
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
