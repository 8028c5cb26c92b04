package launch

import (
	"sync"
	"sync/atomic"
	"time"

	"entrain/mpi/remote"
)

// standInRank is a rank whose trainer ends when exit is called, or when it has saved after a stop.
type standInRank struct {
	number  int
	stops   int           // the number of SIGTERMs that it got
	left    atomic.Bool   // whether it may leave
	saves   time.Duration // how long it saves after a stop
	end     remote.RankEnd
	done    chan struct{}
	stopped sync.Once
	over    sync.Once
}

func (r *standInRank) Number() int           { return r.number }
func (r *standInRank) Leave()                { r.left.Store(true) }
func (r *standInRank) Done() <-chan struct{} { return r.done }

func (r *standInRank) End() (remote.RankEnd, bool) { return r.end, true }

func (r *standInRank) Rest() []byte { return nil }

func (r *standInRank) Stop() {
	r.stops++
	r.stopped.Do(func() { time.AfterFunc(r.saves, func() { r.exit(0) }) })
}

// exit ends the trainer by itself.
func (r *standInRank) exit(code int) {
	r.over.Do(func() {
		r.end = remote.RankEnd{Code: code, At: time.Now(), Text: "exit code"}
		close(r.done)
	})
}
