package launch

import (
	"fmt"
	"syscall"
	"time"

	"entrain/bootstrap/report/cause"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

const stderr = 2 // the descriptor

// rankBegan is called when a rank of this host has begun.
func (h *Host) rankBegan(r Rank) {
	h.on(rankBegan, r)
	h.attendedRanks.Go(func() { h.awaitRank(r) })
}

// rankRaised is called when the trainer of a rank has raised an exception and has been silent since. A rank
// of mpi4py then waits in MPI_Finalize for the other ranks, which wait for it, and nobody else says why.
func (h *Host) rankRaised(r Rank, text string) {
	h.mu.Lock()
	ending := h.machine.ending()
	h.mu.Unlock()
	if ending {
		return
	}
	h.log.Warn().Msgf("rank %d has raised an exception and does not end: %s; the other ranks may wait for it\n"+
		"hint: python3 -m mpi4py train.py ends all ranks then, as MPI_Abort does", r.Number(), cause.OneLine(text))
}

// awaitRank waits for the end of a rank's trainer. If the trainer has failed, awaitRank tells all hosts which
// rank failed, and how. The launcher says less about it, and may not notice it at all: MPICH waits for ever.
func (h *Host) awaitRank(r Rank) {
	<-r.Done()
	e, byItself := h.outcomeOf(r)
	h.mu.Lock()
	if weight := weigh(e, byItself); weight > h.reasons.weight {
		h.reasons.rankFailure = &rendezvous.PeerError{Host: h.name(), Code: e.Code, Text: e.Text}
		h.reasons.weight = weight
	}
	h.mu.Unlock()
	h.on(rankEnded, nil)
	if h.machine.leads {
		h.heedLauncher()
	}
	if e.Code == 0 && !h.launch.Script {
		h.watchEnd()
	}
	if e.Code != 0 && !h.launch.Script && (byItself || !h.awaitOver(explainBound)) {
		h.tellFault(h.name(), e)
	}
}

// outcomeOf says how a rank ended, and whether it ended by itself. The end of a rank that the launcher ended
// explains nothing, unless the launcher has nothing to say.
func (h *Host) outcomeOf(r Rank) (e rendezvous.End, byItself bool) {
	end, told := r.End()
	switch {
	case told:
		// Without a stop, SIGTERM comes from a launcher, which ends ranks because of another failure.
		follows := syscall.Signal(end.Signal) == syscall.SIGTERM && !h.knowledge(true).ending ||
			h.launch.Launcher.Family == mpi.FamilyOpenMPI5 && end.Code == codePeerDied || cause.NamesPeer(end.Text)
		text := fmt.Sprintf("rank %d: %s", r.Number(), cause.OneLine(end.Text))
		return rendezvous.End{Code: end.Code, Text: text, At: end.At, Follows: follows}, !end.Told
	case h.effects.OOMKills() > h.oomKillsBefore:
		// The kernel killed the trainer. While the kernel still frees the trainer's memory, Open MPI 5 may kill
		// the rank's wrapper.
		const text = "a rank: killed by SIGKILL, out of memory (the kernel killed a process of this container)"
		return rendezvous.End{Code: codeKilled, Text: text, At: time.Now()}, true
	}
	// Only SIGKILL keeps a rank's wrapper from telling the end of its trainer. Hydra sends it to a rank that
	// aborts.
	rest := r.Rest()
	if len(rest) > 0 {
		_, _ = proc.Log(stderr).Write(rest)
	}
	for _, v := range cause.Verdicts(rest) {
		if v.Rank == r.Number() && (v.Kind == cause.Aborted || v.Kind == cause.Mistake) {
			text := cause.RankText(v.Rank, cause.OneLine(v.Text))
			return rendezvous.End{Code: v.ExitCode(), Text: text, At: time.Now()}, true
		}
	}
	text := fmt.Sprintf("rank %d: killed by SIGKILL", r.Number())
	return rendezvous.End{Code: codeKilled, Text: text, At: time.Now()}, false
}
