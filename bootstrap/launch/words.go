package launch

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

// verdict is what the launcher says about the end of the job.
type verdict struct {
	cause.Verdict
	host string // of the rank; this host where nobody can say
}

// failure is the job's failure by a verdict that names a rank.
func (v *verdict) failure() *rendezvous.PeerError {
	text := v.Text
	if v.Rank >= 0 {
		text = cause.RankText(v.Rank, text)
	}
	return &rendezvous.PeerError{Host: v.host, Code: v.ExitCode(), Text: text}
}

// verdictOn returns the first verdict of one of some kinds in the launcher's output; nil for none.
func (h *Host) verdictOn(output []byte, kinds ...cause.VerdictKind) *verdict {
	for _, v := range cause.Verdicts(output) {
		if slices.Contains(kinds, v.Kind) {
			return &verdict{v, cmp.Or(h.command.HostOf(v.Rank), h.name())}
		}
	}
	return nil
}

// heedLauncher tells all hosts of a rank that has called MPI_Abort with an error code that no exit code
// shows. The launcher says so at once, and kills the other ranks, whose ends would look like the cause. It is
// called when a rank of the leader has ended.
func (h *Host) heedLauncher() {
	h.mu.Lock()
	said, heeded, ending := h.said, h.heeded, h.machine.ending()
	h.mu.Unlock()
	if said == nil || heeded || ending || h.launch.Script {
		return
	}
	v := h.verdictOn(said(), cause.Aborted)
	if v == nil || v.Code < 0 || v.Code&0xff != 0 {
		return // the end of the rank itself says it
	}
	h.mu.Lock()
	h.heeded = true
	h.mu.Unlock()
	e := v.failure()
	h.tellFault(e.Host, rendezvous.End{Code: e.Code, Text: e.Text, At: time.Now()})
}

// explain tells all hosts what the launcher says about its ranks, and its last lines.
func (h *Host) explain(failure *proc.ExitError) {
	if h.rendezvous == nil {
		return
	}
	const most = 800 // characters: the failure file has room for the reason too
	last := failure.Error() + "\n" + cause.LastLines(failure.Stderr, most)
	h.rendezvous.Explain(h.explanations(failure.Stderr), h.plan.Mask(last))
}

// explanations are what the launcher says about each rank: "rank 1: MPI_Send: MPI_ERR_RANK: invalid rank".
// What a call of MPI says comes before what follows from it.
func (h *Host) explanations(output []byte) []string {
	var found []string
	for _, kind := range []cause.VerdictKind{cause.Mistake, cause.Aborted, cause.Improper} {
		for _, v := range cause.Verdicts(output) {
			if v.Kind == kind && v.Rank >= 0 {
				found = append(found, h.plan.Mask(cause.RankText(v.Rank, cause.OneLine(v.Text))))
			}
		}
	}
	if text := cause.HelpText(output); text != "" {
		found = append(found, rendezvous.AnyRank+": "+h.plan.Mask(cause.OneLine(text)))
	}
	return found
}

// explainAlone puts the launcher's words behind the failure of a rank, on a host that has no rendezvous.
func (h *Host) explainAlone(err error, output []byte) {
	launch, ok := err.(*report.LaunchError) //nolint:errorlint // judgeEnd has just made it
	if !ok || h.rendezvous != nil {
		return
	}
	launch.First.Text = rendezvous.Explained(launch.First.Text, h.explanations(output))
}

// ownReason is the reason that the launcher has by itself for its failure; nil for none. It does not follow
// from the end of a rank, a daemon or an agent: the launcher has ended these.
func (h *Host) ownReason(exit *proc.ExitError, known knowledge) error {
	timeout, _ := contract.Getenv(h.plan.Command.Env, "MPIEXEC_TIMEOUT")
	limit, err := strconv.Atoi(timeout)
	const codeOfHydra, slack = 255, 10 // seconds that a launcher takes to start and to end
	first := rendezvous.PeerError{Host: h.name(), Code: exit.Code}
	seconds := int(exit.Elapsed / time.Second)
	switch {
	case known.ending || known.script:
		return nil
	case h.verdictOn(exit.Stderr, cause.TimeLimit) != nil:
		return exit
	case h.isHydra() && err == nil && exit.Code == codeOfHydra && seconds >= limit && seconds < limit+slack:
		// It says so on standard output.
		first.Text = fmt.Sprintf("APPLICATION TIMED OUT, TIMEOUT = %ds (MPIEXEC_TIMEOUT)", limit)
	case known.wasTold(exit):
		first.Code = report.CodeStopped
		first.Text = exit.Program + ": ended by SIGTERM (it has ended its ranks, and gives no other reason)"
	default:
		return nil
	}
	return &report.LaunchError{First: &first, Exit: exit}
}

// isHydra says whether the launcher is MPICH's or Intel MPI's.
func (h *Host) isHydra() bool {
	family := h.launch.Launcher.Family
	return family == mpi.FamilyMPICH || family == mpi.FamilyIntel
}

// wasTold says whether somebody has probably sent SIGTERM to the launcher: it has ended the ranks, and says
// nothing. A launcher that ends its ranks for another reason tells the reason.
func (k knowledge) wasTold(exit *proc.ExitError) bool {
	const codeOfOpenMPI = 1
	terminated := slices.Contains([]int{codeOfOpenMPI, int(syscall.SIGTERM), report.CodeStopped}, exit.Code)
	endedRanks := k.rankFailure != nil && k.weight < endOfCause
	for _, words := range []string{
		"noticed that process rank", "non-zero exit code", "non-zero status", "lost communication",
		"unable to reliably start", "BAD TERMINATION", "has exited due to process rank",
	} {
		if bytes.Contains(exit.Stderr, []byte(words)) {
			return false
		}
	}
	isSilent := len(cause.Verdicts(exit.Stderr)) == 0
	return isSilent && terminated && endedRanks && k.begun && k.daemonFailure == nil && k.launchFailure == nil
}

// endsAgents says whether the launcher has ended its agents itself. Open MPI 4 ends with 9, or dies, where
// somebody else has ended one.
func (h *Host) endsAgents(exit proc.Exit) bool {
	const codeOfLoss, signals = 9, 128
	return h.launch.Launcher.Family == mpi.FamilyOpenMPI4 && exit.Code != codeOfLoss && exit.Code < signals ||
		strings.Contains(string(exit.Stderr), "time limit for job execution")
}
