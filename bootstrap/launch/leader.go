package launch

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/trainer"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

// lead runs the launcher. Its end is the job's, but it may say 0 where a session was lost (Open MPI 5 does).
func (h *Host) lead(launch mpi.Launch, o proc.Options) (proc.Exit, error) {
	cmd := proc.Cmd(h.plan.Command)
	if !h.launch.Script {
		cmd.Argv = launch.Argv() // with the slots that the hosts have
	}
	h.log.Debug().Msgf("starts %q", contract.MaskWords(cmd.Argv))
	var end error
	o.Ended = func(exit proc.Exit) {
		h.end()
		var follows bool
		follows, end = h.judge(cmd.Argv[0], exit)
		if h.rendezvous != nil {
			h.rendezvous.End(end, follows)
		}
	}
	exit, err := h.world.Supervise(h.context(), cmd, o)
	trainer.Remark(h.log, exit, "the launcher")
	return exit, errors.Join(err, end)
}

// context ends when this host should, since another one failed or was stopped.
func (h *Host) context() context.Context {
	if h.rendezvous == nil {
		return context.Background()
	}
	return h.rendezvous.Context()
}

// judge says what the launcher's end means for the job, and whether that follows from another failure.
func (h *Host) judge(program string, exit proc.Exit) (follows bool, err error) {
	if exit.Code != 0 {
		h.tellCause(exit.Code)
		bounded.WaitIdle(wordOnItsWay, &h.attended)
		failure := &proc.ExitError{Program: program, Exit: exit}
		return exit.Signal == 0, h.knowledge(h.hasBegun()).afterFailure(failure) // a launcher ends when a rank fails
	}
	bounded.WaitIdle(h.explainBound()/2, &h.sessions, &h.attended)
	known := h.knowledge(h.hasBegunSoon())
	failure := known.afterSuccess()
	if failure == nil {
		return false, nil
	}
	if failure == known.lost {
		// It is told under its own host's name. Where an agent was killed, the daemons end because of that.
		h.fault(known.lost.Host, rendezvous.End{
			Code: known.lost.Code, Text: known.lost.Text, At: known.lostAt, Follows: known.tellOrphan != nil,
		})
	}
	h.tellCause(exit.Code)
	return known.lost != nil, failure // else its 0 is the first thing that went wrong: ranks are ended only after it
}

// knowledge is what this host knows now.
func (h *Host) knowledge(begun bool) knowledge {
	h.mu.Lock()
	defer h.mu.Unlock()
	return knowledge{
		reasons: h.reasons, host: h.name(), script: h.launch.Script, alone: h.rendezvous == nil, begun: begun,
		active: h.machine.active, ending: h.machine.ending(), stoppedFor: time.Since(h.stopped), grace: h.plan.End.Grace,
	}
}

// hasBegunSoon is hasBegun, with time for the word of another host's rank to arrive.
func (h *Host) hasBegunSoon() bool {
	ticker := time.NewTicker(lastWord / 50)
	defer ticker.Stop()
	for end := time.Now().Add(lastWord); !h.hasBegun() && !h.launch.Script && time.Now().Before(end); {
		<-ticker.C
	}
	return h.hasBegun()
}

// The exit codes with which a launcher says that it has lost a host.
const (
	hydraLost = 255 // Hydra's, and that of PRRTE under Open MPI 5
	orteLost  = 205 // that of ORTE under Open MPI 4
)

// tellCause tells the others what this host knows to be behind the launcher's failure, before they hear of that. Some
// launchers end at once when a host is lost, and the rendezvous needs a moment longer to notice it.
func (h *Host) tellCause(code int) {
	h.mu.Lock()
	tellOrphan := h.reasons.tellOrphan
	h.mu.Unlock()
	if tellOrphan != nil {
		tellOrphan()
	}
	if h.rendezvous == nil || code != hydraLost && code != orteLost {
		return
	}
	bound := min(lossNoticed, h.plan.Rendezvous.PeerTimeout/3) + lastWord
	bounded.Wait(bound, h.context().Done())
}

// follow serves the launcher until the leader says that it has ended.
func (h *Host) follow(o proc.Options) (proc.Exit, error) {
	exit, err := h.world.Supervise(h.context(), proc.Cmd{}, o)
	if exit.Killed { // as all are at the end of the grace: the launcher's end comes next
		bounded.Wait(lastWord, h.context().Done())
	}
	h.end()
	if err != nil {
		return exit, err
	}
	return exit, h.followed(exit)
}

// followed says what the end of a worker's part means. Another host's failure comes back from the rendezvous, and is not
// said here.
func (h *Host) followed(exit proc.Exit) error {
	cause := context.Cause(h.context())
	over, isOver := errors.AsType[*rendezvous.OverError](cause)
	switch {
	case isOver && over.Code == 0 && h.hasCutShort():
		return abandoned(h.name())
	case isOver && over.Code == 0:
		return nil
	case isOver && h.knowledge(true).ending:
		return fmt.Errorf("stopped by SIGTERM: %w", over)
	case isOver:
		return over
	case exit.Killed && cause == nil:
		exit.Code, exit.Signal = 128+int(syscall.SIGKILL), syscall.SIGKILL
		return &proc.ExitError{Program: "the ranks of this host", Exit: exit}
	}
	return nil
}

// hasCutShort says whether ranks of this host were ended that the launcher's 0 did not wait for. How a rank ended may be
// on its way yet when the last process of this host is gone.
func (h *Host) hasCutShort() bool {
	bounded.WaitIdle(lastWord, &h.attended)
	known := h.knowledge(true)
	return !known.ending && !known.script && known.failed != nil
}
