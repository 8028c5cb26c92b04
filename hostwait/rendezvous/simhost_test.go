package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"entrain/hostwait/rendezvous/simnet"
)

// simHost is a host of a simulation: a stand-in for entrain and its trainer around a real Session.
type simHost struct {
	net     *simnet.Net
	machine *simnet.Machine
	host    int
	others  []*simHost
	life    simLife
	session *Session
	done    context.Context // ends when nobody waits for the host any more

	mu       sync.Mutex
	signals  int           // the SIGTERMs that the trainer got
	stopped  time.Duration // when the platform sent SIGTERM; 0: it did not
	endedAt  time.Duration // when the trainer ended; 0 while it has not
	ownCode  int           // its exit code
	leftAt   time.Duration // when the host ended; 0 while it has not
	code     int           // with which the host ended
	reason   string
	released bool
}

// simLife is what a seed decides for a host.
type simLife struct {
	start    time.Duration // when entrain starts
	train    time.Duration // how long the trainer runs by itself
	code     int           // with which the trainer then ends
	term     time.Duration // how long the trainer runs after SIGTERM
	termCode int           // with which the trainer then ends
	stopAt   time.Duration // when the platform sends SIGTERM; 0: never
	notices  time.Duration // how long after the loss of another host the trainer fails; 0: it does not
}

// run is the life of a host.
func (h *simHost) run(c Config) {
	select {
	case <-time.After(h.life.start):
	case <-h.done.Done():
		return
	}
	s, err := Open(c)
	if err != nil {
		panic(err)
	}
	h.mu.Lock()
	h.session = s
	h.mu.Unlock()
	s.Ready(nil)
	ctx, cancel := context.WithTimeout(h.done, simWait)
	defer cancel()
	_, err = s.Gather(ctx)
	if err == nil {
		h.mu.Lock()
		h.released = true
		h.mu.Unlock()
		err = h.train(s)
	}
	if h.machine.IsKilled() || h.done.Err() != nil {
		<-h.done.Done()
		_ = s.Leave(h.done, 0)
		return
	}
	h.leave(s, err)
}

// simWait is --wait-timeout.
const simWait = 5 * time.Minute

// simError is the end of a trainer, or of a stopped host.
type simError int

func (e simError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// train runs the trainer, and returns how it ended.
func (h *simHost) train(s *Session) error {
	end, code := time.NewTimer(h.life.train), h.life.code
	defer end.Stop()
	stop := make(<-chan time.Time)
	if h.life.stopAt > 0 {
		stop = time.After(max(0, h.life.stopAt-h.net.Since()))
	}
	lost := make(chan struct{})
	if h.life.notices > 0 {
		ctx, cancel := context.WithCancel(h.done)
		defer cancel()
		go h.noticeLoss(ctx, lost)
	}
	term := func() {
		h.signals++
		code = h.life.termCode
		end.Reset(h.life.term)
	}
	ending, losing := s.Context().Done(), (<-chan struct{})(lost)
	for {
		select {
		case <-end.C:
			h.mu.Lock()
			defer h.mu.Unlock()
			h.endedAt, h.ownCode = h.net.Since(), code
			h.net.Note("h%d's trainer ends with %d", h.host, code)
			if code == 0 {
				return nil
			}
			return simError(code)
		case <-losing:
			losing, code = nil, 1
			end.Reset(0)
		case <-ending:
			h.net.Note("h%d is told: %v", h.host, context.Cause(s.Context()))
			ending, stop = nil, nil
			term()
		case <-stop:
			h.net.Note("h%d is sent SIGTERM", h.host)
			ending, stop = nil, nil
			s.Stopped()
			h.stopped = h.net.Since()
			term()
		case <-h.machine.Killed():
			return nil
		case <-h.done.Done():
			return nil
		}
	}
}

// noticeLoss closes lost a while after another host was killed, as the connections of a trainer would break.
// A trainer that has ended has no connections any more.
func (h *simHost) noticeLoss(ctx context.Context, lost chan struct{}) {
	noticed := make(chan struct{}, len(h.others))
	for _, other := range h.others {
		go func() {
			select {
			case <-other.machine.Killed():
				if other.isAtWork() {
					noticed <- struct{}{}
				}
			case <-ctx.Done():
			}
		}()
	}
	select {
	case <-noticed:
	case <-ctx.Done():
		return
	}
	select {
	case <-time.After(h.life.notices):
		close(lost)
	case <-ctx.Done():
	}
}

// isAtWork reports whether the trainer of a host runs.
func (h *simHost) isAtWork() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.released && h.endedAt == 0
}

// leave ends the session, and notes with which code the host ends, as peers.Leave and report do.
func (h *simHost) leave(s *Session, err error) {
	e := End{At: time.Now()}
	if err != nil {
		e.Code, e.Text = simCode(err), err.Error()
	}
	s.End(e)
	ctx, cancel := context.WithCancel(h.done)
	defer cancel()
	left := make(chan error, 1)
	go func() { left <- s.Leave(ctx, 0) }()
	var peer error
	select {
	case peer = <-left:
	case <-h.machine.Killed():
		<-h.done.Done()
		if err := <-left; err != nil {
			h.net.Note("h%d, which was killed, leaves with %v", h.host, err)
		}
		return
	}
	if peer != nil {
		err = peer
	}
	if refused, ok := errors.AsType[*RefusedError](context.Cause(s.Context())); ok && err == nil {
		err = refused
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leftAt = h.net.Since()
	if err != nil {
		h.code, h.reason = simCode(err), err.Error()
	}
	h.net.Note("h%d ends with %d: %s", h.host, h.code, h.reason)
}

// simCode is the exit code of an error, as in package report.
func simCode(err error) int {
	if peer, ok := errors.AsType[*PeerError](err); ok {
		return peer.Code
	}
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return CodeInvalid
	}
	if _, ok := errors.AsType[*StopError](err); ok {
		return 143
	}
	if exit, ok := errors.AsType[simError](err); ok {
		return int(exit)
	}
	return CodeLost
}
