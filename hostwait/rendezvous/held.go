package rendezvous

import (
	"slices"
	"time"
)

// heldAnswer is the answer to a request, which is held back until there is news, at the longest for a time.
type heldAnswer struct {
	write func(isDue bool) bool // writes the answer if it is due or there is news, and says whether it has
	timer *time.Timer

	turn   chan struct{} // holds an element while somebody looks at the answer, or writes it
	isOver bool          // it is written, or will not be
}

// maxBusy is how many answers are written at once. Each takes a stack.
const maxBusy = 64

// hold holds an answer back for a time. write writes it if it is due or there is news, and says whether it
// has.
func (s *service) hold(limit time.Duration, write func(isDue bool) bool) *heldAnswer {
	h := &heldAnswer{write: write, turn: make(chan struct{}, 1)}
	h.turn <- struct{}{}
	h.timer = time.AfterFunc(limit, func() { s.answer(h, true) })
	s.mu.Lock()
	s.held = append(s.held, h)
	s.mu.Unlock()
	<-h.turn
	s.answer(h, false)
	return h
}

// answer writes an answer if it is due or there is news. It does nothing for nil.
func (s *service) answer(h *heldAnswer, isDue bool) {
	if h == nil {
		return
	}
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if !h.isOver && h.write(isDue) {
		s.forget(h)
	}
}

// giveUp forgets an answer that nobody waits for any more.
func (s *service) giveUp(h *heldAnswer) {
	if h == nil {
		return
	}
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if !h.isOver {
		s.forget(h)
	}
}

func (s *service) forget(h *heldAnswer) {
	h.isOver = true
	h.timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.held, h); i >= 0 {
		s.held = slices.Delete(s.held, i, i+1)
	}
}

// announce writes all answers that there is news for.
func (s *service) announce() {
	s.mu.Lock()
	held := slices.Clone(s.held)
	s.mu.Unlock()
	for _, h := range held {
		s.busy <- struct{}{}
		s.work.Go(func() {
			s.answer(h, false)
			<-s.busy
		})
	}
}
