package launch

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/trainer"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

// lead runs the launcher on the leader. The launcher's end is the end of the job. Its exit code 0 is not
// enough for a success, since Open MPI 5 may end with 0 although a host was lost.
// cmd is the plan's command, and command the launch with the slots of all hosts.
func (h *Host) lead(cmd proc.Cmd, command mpi.Launch, o proc.Options) (proc.Exit, error) {
	if !h.launch.Script {
		cmd.Argv = command.Argv()
		cmd.Env = command.LauncherEnv(cmd.Env)
	}
	h.log.Debug().Msgf("starts %q", contract.MaskWords(cmd.Argv))
	var failure error
	o.Listen = func(said func() []byte, _ int) {
		h.mu.Lock()
		h.said = said
		h.mu.Unlock()
	}
	o.Ended = func(exit proc.Exit) {
		h.setOver()
		h.tellAbsent(command, exit)
		var follows bool
		follows, failure = h.judgeEnd(cmd.Argv[0], exit)
		if h.rendezvous != nil {
			h.rendezvous.End(failure, follows)
		}
	}
	exit, err := h.effects.Supervise(h.context(), cmd, o)
	trainer.Remark(h.log, exit, "the launcher")
	return exit, errors.Join(err, failure)
}

// judgeEnd says what the launcher's end means for the job: the error, and whether it follows from another
// failure.
func (h *Host) judgeEnd(program string, exit proc.Exit) (follows bool, err error) {
	if exit.Code != 0 {
		hint := plan.ChannelHint(h.plan.Command.Env, report.Said(exit))
		return h.judgeFailure(&proc.ExitError{Program: program, Exit: exit, Hint: hint})
	}
	bounded.WaitIdle(successBound, &h.daemons, &h.attendedRanks)
	known := h.knowledge(h.hasBegunSoon())
	known.verdict = h.verdictOn(exit.Stderr, cause.Aborted, cause.Improper)
	failure := known.afterSuccess()
	if failure == nil {
		return false, nil
	}
	if known.verdict != nil && failure.Host != h.name() {
		h.tellFault(failure.Host, rendezvous.End{Code: failure.Code, Text: failure.Text, At: exit.At})
	}
	if failure == known.daemonFailure {
		// The failure is told under the name of the daemon's host. If an rsh was killed, the daemon ended because
		// of that.
		h.tellFault(failure.Host, rendezvous.End{
			Code: failure.Code, Text: failure.Text, At: known.daemonFailedAt, Follows: known.tellRshKilled != nil,
		})
	}
	h.tellCause()
	// Without a failed daemon the launcher's 0 itself is the first failure: ranks that end after it follow from
	// it.
	return known.daemonFailure != nil, failure
}

// judgeFailure is judgeEnd for a launcher that failed.
func (h *Host) judgeFailure(exit *proc.ExitError) (follows bool, err error) {
	h.explain(exit)
	bounded.WaitIdle(rankEndBound, &h.attendedRanks)
	known := h.knowledge(h.hasBegun())
	if own := h.ownReason(exit, known); own != nil {
		return false, own
	}
	if !h.endsAgents(exit.Exit) {
		h.tellCause()
	}
	err = known.afterFailure(exit)
	h.explainAlone(err, exit.Stderr)
	// A rank that has aborted may have been killed before it could tell its end.
	kinds := []cause.VerdictKind{cause.Aborted, cause.Improper}
	if h.isHydra() { // only there a mistake has an exit code
		kinds = append(kinds, cause.Mistake)
	}
	if v := h.verdictOn(exit.Stderr, kinds...); v != nil && !known.ending && !known.script {
		e := v.failure()
		h.tellFault(e.Host, rendezvous.End{Code: e.Code, Text: e.Text, At: exit.At})
	}
	// A launcher that ends by itself usually does so because a rank has failed.
	return exit.Signal == 0, err
}

// knowledge is what this host knows now. begun says whether a rank has begun, on any host.
func (h *Host) knowledge(begun bool) knowledge {
	h.mu.Lock()
	defer h.mu.Unlock()
	return knowledge{
		reasons: h.reasons, host: h.name(), script: h.launch.Script, alone: h.rendezvous == nil, begun: begun,
		activeRanks: h.machine.activeRanks, ending: h.machine.ending(),
		failedFirst: h.machine.failedFirst, endingFor: time.Since(h.endingSince),
		grace: h.plan.End.Grace,
	}
}

// hasBegunSoon is hasBegun, and waits for the message of another host that a rank has begun there.
func (h *Host) hasBegunSoon() bool {
	ticker := time.NewTicker(beginPoll)
	defer ticker.Stop()
	for end := time.Now().Add(messageBound); !h.hasBegun() && !h.launch.Script && time.Now().Before(end); {
		<-ticker.C
	}
	return h.hasBegun()
}

// tellCause tells the other hosts the cause of the launcher's failure, as far as this host knows it, before
// they hear of the failure itself.
func (h *Host) tellCause() {
	h.mu.Lock()
	tellRshKilled := h.reasons.tellRshKilled
	h.mu.Unlock()
	if tellRshKilled != nil {
		tellRshKilled()
	}
}

// follow serves the launcher on a worker, until the leader says that the launcher has ended.
func (h *Host) follow(o proc.Options) (proc.Exit, error) {
	exit, err := h.effects.Supervise(h.context(), proc.Cmd{}, o)
	if exit.Killed { // at the end of the grace, when all hosts kill: the leader's message is on its way
		bounded.Wait(messageBound, h.context().Done())
	}
	h.setOver()
	if err != nil {
		return exit, err
	}
	return exit, h.workerError(exit)
}

// workerError says what the end of a worker's part means for the job. The failure of another host is not said
// here: the rendezvous returns it.
func (h *Host) workerError(exit proc.Exit) error {
	cause := context.Cause(h.context())
	over, isOver := errors.AsType[*rendezvous.OverError](cause)
	switch {
	case isOver && over.Code == 0 && h.ranksCutShort():
		return abandoned(h.name())
	case isOver && over.Code == 0:
		return nil
	case isOver && h.knowledge(true).ending:
		return fmt.Errorf("stopped by SIGTERM: %w", over)
	case isOver:
		return over
	case exit.Killed && cause == nil:
		exit.Code, exit.Signal = codeKilled, syscall.SIGKILL
		return &proc.ExitError{Program: "the ranks of this host", Exit: exit}
	}
	return nil
}

// ranksCutShort says whether the launcher ended with 0 before the ranks of this host had done their work. It
// waits for the message of how a rank ended, which may arrive after the last process of this host has ended.
func (h *Host) ranksCutShort() bool {
	bounded.WaitIdle(messageBound, &h.attendedRanks)
	known := h.knowledge(true)
	return !known.ending && !known.script && known.rankFailure != nil
}
