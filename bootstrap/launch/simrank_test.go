package launch

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"entrain/mpi/remote"
)

// simRank is a rank of a simulation: its wrapper and its trainer.
type simRank struct {
	number int
	host   *simHost
	life   simRankLife
	done   chan struct{} // closed when the trainer has ended
	leave  chan struct{} // closed when the wrapper may leave

	mu      sync.Mutex
	began   bool
	stopped bool // the trainer got SIGTERM
	end     remote.RankEnd
	killed  bool // the wrapper was killed with the trainer, and told nothing
	ended   bool
	mayQuit bool
}

// simRankLife is what a seed decides for a rank.
type simRankLife struct {
	begins time.Duration // after its daemon; 0: it never begins
	trains time.Duration // how long the trainer runs by itself
	code   int           // with which it then ends
	saves  time.Duration // how long the trainer runs after SIGTERM
	saved  int           // with which it then ends
}

func (r *simRank) Rest() []byte          { return nil }
func (r *simRank) Number() int           { return r.number }
func (r *simRank) Done() <-chan struct{} { return r.done }

func (r *simRank) Leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mayQuit {
		r.mayQuit = true
		close(r.leave)
	}
}

func (r *simRank) End() (remote.RankEnd, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end, !r.killed
}

// Stop lets the wrapper send SIGTERM, which a wrapper does once (see remote.RankClient).
func (r *simRank) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && !r.stopped {
		r.stopped = true
		time.AfterFunc(r.life.saves, func() { r.exit(r.life.saved, false) })
	}
}

// exit ends the trainer.
func (r *simRank) exit(code int, killed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended, r.killed = true, killed
	r.end = remote.RankEnd{
		Code: code, Text: fmt.Sprintf("exit code %d", code), At: time.Now(), Told: r.stopped,
	}
	if killed {
		r.end.Signal = int(syscall.SIGKILL)
	}
	r.host.net.Note("%s: rank %d ends with %d", r.host.name, r.number, code)
	close(r.done)
}

// wrapper returns the exit code of the rank's wrapper when that has ended. After a stop it stays until it may
// leave.
func (r *simRank) wrapper() int {
	<-r.done
	r.mu.Lock()
	stays := r.stopped && !r.killed
	code := r.end.Code
	r.mu.Unlock()
	if stays {
		select {
		case <-r.leave:
		case <-r.host.kill.Done():
		}
	}
	return code
}

func (r *simRank) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}
