package simnet

import (
	"net"
	"os"
	"sync"
	"time"
)

// stream is one direction of a connection.
type stream struct {
	net *Net

	mu       sync.Mutex
	segments []segment     // the ones that were not read
	last     time.Duration // when the last of them arrives
	endsAt   time.Duration // when the end arrives
	end      error         // io.EOF, or why reading fails; nil while the stream goes on
	failsAt  time.Duration // when the reader finds a reset
	fault    error         // of the reader; nil without one
	broken   bool          // nothing more gets through
	deadline time.Time     // of the reader
	changed  chan struct{} // closed at each change
}

type segment struct {
	data []byte
	at   time.Duration // when it arrives
}

func (s *stream) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// fail lets the reader fail from a time on, whatever it has not read.
func (s *stream) fail(err error, at time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil || at < s.failsAt {
		s.fault, s.failsAt = err, at
		s.announce()
	}
}

// take reads what has arrived. It returns how long to wait for more, where there is nothing yet.
func (s *stream) take(p []byte) (got int, wait time.Duration, err error) {
	now := s.net.Since()
	wait = never()
	until := func(at time.Duration) { wait = min(wait, at-now) }
	if s.fault != nil {
		if s.failsAt <= now {
			return 0, 0, s.fault
		}
		until(s.failsAt)
	}
	if !s.deadline.IsZero() {
		if left := time.Until(s.deadline); left > 0 {
			wait = min(wait, left)
		} else {
			return 0, 0, os.ErrDeadlineExceeded
		}
	}
	if len(s.segments) > 0 {
		first := &s.segments[0]
		if first.at > now {
			until(first.at)
			return 0, wait, nil
		}
		got = copy(p, first.data)
		if first.data = first.data[got:]; len(first.data) == 0 {
			s.segments = s.segments[1:]
		}
		return got, 0, nil
	}
	if s.end != nil {
		if s.endsAt <= now {
			return 0, 0, s.end
		}
		until(s.endsAt)
	}
	return 0, wait, nil
}

// add lets data arrive. It reports whether the reader has closed its end before.
func (s *stream) add(data []byte, at time.Duration) (closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == net.ErrClosed { //nolint:errorlint // Close sets it
		return true
	}
	if s.broken {
		return false
	}
	s.last = max(s.last, at)
	s.segments = append(s.segments, segment{data, s.last})
	s.announce()
	return false
}
