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

// Session is a host's part in the rendezvous. From Open to Leave it says hello to the leader. The leader's
// session says hello to the leader in its own process.
type Session struct {
	config      Config
	ctx         context.Context
	cancel      context.CancelCauseFunc
	link        link
	toSay       chan struct{} // holds an element while self has changed since the last hello
	leaving     chan struct{} // closed when no further hello is to be said
	hellosEnded chan struct{} // closed after the last hello
	hurried     chan struct{} // closed when Leave is no longer to wait for hosts that have not joined
	hurry       func()        // closes hurried

	mu          sync.Mutex
	self        hello // what the next hello says, without its clock and its durations
	end         *End
	late        error  // why this host fails, heard after Context had ended; nil without that
	fault       *End   // the earliest fault that was reported here
	faultHost   string // the host that failed by fault
	said        words  // of the launcher
	lastView    view
	released    chan struct{} // closed when all hosts are released
	settled     chan struct{} // closed when the end of this host's work is settled
	setSettled  func()        // closes settled
	started     chan struct{} // closed when all hosts are ready to start their work again
	setStarted  func()        // closes started
	unreachable error         // why the leader does not answer; nil while it does
	answered    bool          // the leader has answered a hello
	clock       steadyClock
}

// link delivers hellos to the leader.
type link interface {
	// exchange says a hello and returns the answer. It tries until it succeeds, and calls trouble with the
	// reason after each failure. An error means that trying again is useless, or that ctx has ended.
	exchange(ctx context.Context, h *hello, trouble func(error)) (view, error)
	// stands reports whether the end of this host stands, although the link has failed afterwards.
	stands(end *End, failure error) bool
	close()
}

// Open joins the rendezvous. The leader begins to listen, and every host begins to say hello. It returns a
// *ListenError if the leader cannot listen.
func Open(c Config) (*Session, error) {
	s := &Session{
		config: c, toSay: make(chan struct{}, 1), leaving: make(chan struct{}), hellosEnded: make(chan struct{}),
		hurried: make(chan struct{}), released: make(chan struct{}), clock: steadyClock{time.Now()},
	}
	s.newWork()
	s.hurry = sync.OnceFunc(func() { close(s.hurried) })
	s.self = hello{
		Protocol: Protocol, Version: c.Version, Mode: c.Mode, Instance: rand.Text(), Member: c.Self,
		Digests: c.Digests, Table: c.Table, Command: bounded(c.Command),
	}
	var err error
	if c.leads() {
		s.link, err = startLeader(&s.config)
	} else {
		s.link, err = newWorker(&s.config)
	}
	if err != nil {
		return nil, err
	}
	go s.sayHellos()
	return s, nil
}

// Context ends when the work of this host should end. Its cause is a *PeerError, a *StopError, an
// *OverError or a *RefusedError.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// newWork makes what belongs to the work of this host, until that starts again.
func (s *Session) newWork() {
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	settled, started := make(chan struct{}), make(chan struct{})
	s.settled, s.setSettled = settled, sync.OnceFunc(func() { close(settled) })
	s.started, s.setStarted = started, sync.OnceFunc(func() { close(started) })
}

// Stopped reports that this host was sent SIGTERM. All other hosts are then stopped too.
func (s *Session) Stopped() { s.tellLeader(func() { s.self.Stopped = true }) }

// End reports how the work of this host ended. Only the first call counts.
func (s *Session) End(e End) {
	e.Text = s.config.oneLine(e.Text)
	if e.Code != 0 {
		e.Code = failureCode(e.Code)
	}
	s.tellLeader(func() {
		if s.end == nil {
			s.end = &e
		}
	})
}

// Ready reports the names that do not resolve on this host. Without such names the host is ready for the
// release.
func (s *Session) Ready(pending []string) {
	s.tellLeader(func() {
		s.self.Ready, s.self.Pending = len(pending) == 0, pending[:min(len(pending), maxNames)]
	})
}

// tellLeader changes what the next hello says, and makes that hello the next thing that the session does.
func (s *Session) tellLeader(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	select { // under the lock: the signal must not reach a hello that says the change already
	case s.toSay <- struct{}{}:
	default: // an earlier change has asked for the hello already
	}
}

// Gather waits until all hosts are released, and returns them in the order of ranks, or none without
// Config.Table. If Context or ctx ends
// before that, it returns the cause.
func (s *Session) Gather(ctx context.Context) ([]Member, error) {
	select {
	case <-s.released:
		return s.table()
	case <-s.Context().Done():
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	if s.Context().Err() != nil {
		cause = context.Cause(s.Context())
	}
	if _, over := errors.AsType[*OverError](cause); over && s.isReleased() {
		return s.table() // a quick launcher may end before this host has noticed its release
	}
	return nil, cause
}

// table returns all hosts in the order of ranks. It returns none on a host that does not use them.
func (s *Session) table() ([]Member, error) {
	if !s.config.Table {
		return []Member{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []row
	if err := json.Unmarshal(s.lastView.Members, &rows); err != nil {
		return nil, err
	}
	return membersOf(rows, s.config.Hosts)
}

// Missing returns the first hosts that the release waits for, as far as this host knows, and their number.
func (s *Session) Missing() (missing []hostwait.Missing, number int) {
	if l, leads := s.link.(*leader); leads {
		return l.missing()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unreachable != nil {
		return []hostwait.Missing{{Host: s.config.leaderHost(), Err: s.unreachable}}, 1
	}
	return named(s.lastView.Missing), s.lastView.Lacking
}

// named returns the missing hosts of a view.
func named(absent []absence) []hostwait.Missing {
	var missing []hostwait.Missing
	for _, a := range absent {
		missing = append(missing, hostwait.Missing{Host: a.Host, Err: absenceError(a.Why)})
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
