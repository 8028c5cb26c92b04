package launch

import (
	"errors"
	"time"

	"entrain/hostwait/rendezvous"
)

// on takes an event and carries out the actions that the event asks for. r is the rank that has begun, for
// the event rankBegan; nil for any other event.
func (h *Host) on(e event, r Rank) { h.handle(e, r, nil) }

// handle is on. failure says why the launch does not succeed, for the events ranksLate and
// daemonHelpless; nil for any other event.
func (h *Host) handle(e event, r Rank, failure *launchFailure) {
	elsewhere := h.rendezvous != nil && h.rendezvous.HasBegun()
	h.mu.Lock()
	if r != nil {
		h.ranks = append(h.ranks, r)
	}
	wasEnding := h.machine.ending()
	actions := h.machine.on(e, elsewhere)
	if h.machine.ending() && (!wasEnding || e == jobFailed || e == hostLost) {
		h.endingSince = time.Now()
	}
	ranks := h.ranks
	h.mu.Unlock()
	for _, a := range actions {
		if a.kind == failLaunch {
			h.tellLaunchFailure(failure)
			continue
		}
		h.carryOut(a, ranks, r)
	}
}

// carryOut does one action. ranks are all ranks of this host, begun is the rank that has just begun.
func (h *Host) carryOut(a action, ranks []Rank, begun Rank) {
	switch a.kind {
	case stopRank:
		begun.Stop()
	case letRankGo:
		begun.Leave()
	case stopRanks:
		for _, r := range ranks {
			r.Stop()
		}
	case letRanksGo:
		for _, r := range ranks {
			r.Leave()
		}
	case closeAgent:
		if h.agent != nil {
			h.agent.close()
		}
	case setDeadline:
		h.effects.SetDeadline(a.term, a.kill)
	case tellBegun, tellStop, tellQuiet:
		h.tellOthers(a.kind)
	case failLaunch: // handle does it
	}
}

// tellOthers does an action that tells the other hosts. A host alone has nobody to tell. When no rank is at
// work on a host alone, no rank is left at all.
func (h *Host) tellOthers(what actionKind) {
	switch r := h.rendezvous; {
	case r == nil && what == tellQuiet:
		h.on(noRankLeft, nil)
	case r == nil:
	case what == tellBegun:
		r.Begin()
	case what == tellStop:
		r.Stopped()
	case what == tellQuiet:
		r.Quiet()
	}
}

// onStop is the Stop of the proc.Options that Run passes on: proc.Run calls it for a SIGTERM, with nil, and
// when the context ends, with the cause.
func (h *Host) onStop(cause error) {
	switch _, leader := errors.AsType[*rendezvous.OverError](cause); {
	case leader:
		h.on(leaderOver, nil)
	case isLoss(cause):
		h.on(hostLost, nil)
	case cause != nil:
		h.on(jobFailed, nil)
	default:
		h.on(stopAsked, nil)
	}
}

// isLoss says whether a job failed because of a host that was lost, or of a launch that did not succeed.
func isLoss(cause error) bool {
	failure, ok := errors.AsType[*rendezvous.PeerError](cause)
	return ok && failure.Code == rendezvous.CodeLost
}

// tellFault tells why the job fails. The host is this one or, on the leader, any host.
func (h *Host) tellFault(host string, e rendezvous.End) {
	e.Text = h.plan.Mask(e.Text)
	if h.rendezvous == nil { // the launcher knows of the fault too, and usually ends by itself
		kill := failureKillAfter(h.machine.failureGrace)
		h.effects.SetDeadline(kill, kill)
		return
	}
	h.rendezvous.Fault(host, e)
}
