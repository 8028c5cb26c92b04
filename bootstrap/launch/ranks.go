package launch

import (
	"fmt"
	"syscall"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi"
)

// secondary is the exit code (14, "Socket closed") that Open MPI 5 gives ranks whose peer died. It often arrives before the
// cause.
const secondary = 14

// codeKilled is the exit code of a rank that SIGKILL has ended.
const codeKilled = 128 + int(syscall.SIGKILL)

// rankBegan is called when a rank of this host has begun.
func (h *Host) rankBegan(r Rank) {
	h.on(rankBegan, r)
	h.attended.Go(func() { h.attend(r) })
}

// attend waits for the end of a rank's trainer. One that fails fails the job, named: the launcher may not notice it (MPICH
// waits for ever), and says less of it.
func (h *Host) attend(r Rank) {
	<-r.Done()
	e, own := h.outcome(r)
	h.mu.Lock()
	if weight := weigh(e, own); weight > h.reasons.weight {
		h.reasons.failed = &rendezvous.PeerError{Host: h.name(), Code: e.Code, Text: e.Text}
		h.reasons.weight = weight
	}
	h.mu.Unlock()
	h.on(rankEnded, nil)
	if e.Code != 0 && !h.launch.Script && (own || !h.isOver(h.explainBound())) {
		h.fault(h.name(), e)
	}
}

// outcome is how a rank ended, and whether it ended by itself. What the launcher itself has ended says nothing, unless the
// launcher has nothing to say.
func (h *Host) outcome(r Rank) (e rendezvous.End, own bool) {
	end, told := r.End()
	switch {
	case told:
		follows := h.launch.Launcher.Family == mpi.FamilyOpenMPI5 && end.Code == secondary
		text := fmt.Sprintf("rank %d: %s", r.Number(), end.Text)
		return rendezvous.End{Code: end.Code, Text: text, At: end.At, Follows: follows}, !end.Told
	case h.world.OOMKills() > h.ooms: // Open MPI 5 may kill the wrapper while the kernel still takes the rank's memory back
		const text = "a rank: killed by SIGKILL, out of memory (the kernel killed a process of this container)"
		return rendezvous.End{Code: codeKilled, Text: text, At: time.Now()}, true
	}
	// Only SIGKILL keeps a rank from telling its end.
	text := fmt.Sprintf("rank %d: killed by SIGKILL", r.Number())
	return rendezvous.End{Code: codeKilled, Text: text, At: time.Now()}, false
}
