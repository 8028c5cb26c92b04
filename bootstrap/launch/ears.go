package launch

import (
	"sync"
	"time"

	"entrain/bootstrap/report/cause"
)

// raisedAfter is how long a rank may be silent after an exception until the log says so. A trainer that ends
// after an exception does so within seconds, unless it waits for the other ranks.
const raisedAfter = time.Minute

// ears hear what a rank's trainer writes to stderr, and tell this host's run of it.
type ears struct {
	reads  func(pipe int)         // tells from where stderr is read
	raised func(exception string) // tells of an exception of a trainer that does not end
	abort  func(piece []byte)     // hears each piece too

	mu      sync.Mutex
	silence *time.Timer // ends raisedAfter the last words; nil before the first, and after close
	closed  bool
	kept    func() []byte
}

// listen begins to hear. kept returns the end of what was written, and pipe is where it is read from.
func (e *ears) listen(kept func() []byte, pipe int) {
	e.mu.Lock()
	e.kept = kept
	e.mu.Unlock()
	e.reads(pipe)
}

// heed hears a piece.
func (e *ears) heed(piece []byte) {
	e.abort(piece)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
	case e.silence == nil:
		e.silence = time.AfterFunc(raisedAfter, e.tellRaised)
	default:
		e.silence.Reset(raisedAfter)
	}
}

// tellRaised tells of an exception that nothing has followed.
func (e *ears) tellRaised() {
	e.mu.Lock()
	defer e.mu.Unlock() // so that close returns after the message
	if e.closed || e.kept == nil {
		return
	}
	if text := cause.Raised(e.kept()); text != "" {
		e.raised(text)
	}
}

// close hears nothing more: the trainer has ended.
func (e *ears) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.silence != nil {
		e.silence.Stop()
	}
}
