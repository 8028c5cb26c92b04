package peers

import (
	"context"
	"errors"
	"syscall"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// stayAfterFailure is how long a host that failed before the others came stays to tell them. They usually come within a
// minute of each other; --wait-timeout may end the stay earlier.
const stayAfterFailure = time.Minute

// Leave tells how this host's work ended, and stays while the others need it. Where another host's failure is that of the
// whole job, it comes back instead of this host's own.
func (p *Peers) Leave(err error) error {
	if p == nil {
		return err
	}
	p.End(err, false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first := make(chan error, 1)
	release := p.Signals.Watch(func(sig syscall.Signal) {
		select {
		case first <- &proc.SignalError{Signal: sig}:
		default:
		}
		p.Hurry() // who has not come is not waited for
		if sig == syscall.SIGTERM {
			p.Stopped() // the others are stopped too, and this host stays for their ends
			return
		}
		cancel()
	})
	stay := p.stayFor(err)
	quiet := p.tellStay(err, stay)
	peer := p.Session.Leave(ctx, stay)
	quiet()
	release()
	if peer != nil {
		return p.peerFailure(peer, err)
	}
	if err != nil {
		return err
	}
	if refused, ok := errors.AsType[*rendezvous.RefusedError](context.Cause(p.Session.Context())); ok {
		return refused // the trainer was stopped for that, and may have ended well
	}
	if p.verb != "run" && len(first) > 0 {
		return <-first // what would come next must not
	}
	return nil
}

// peerFailure is the failure of another host that counts for this one, whose own work ended with err.
func (p *Peers) peerFailure(peer, err error) error {
	theirs, _ := errors.AsType[*rendezvous.PeerError](peer)
	if exit, ok := errors.AsType[*proc.ExitError](err); ok && p.plan.MPI {
		return &report.LaunchError{First: theirs, Exit: exit}
	}
	if err != nil && peer.Error() != err.Error() {
		own := rendezvous.PeerError{Host: "this host", Text: report.Summary(err)}
		p.Log.Warn().Msg(own.Error())
	}
	return peer
}

// tellStay says what a host waits for that has failed before the others came, unless that takes a moment only.
func (p *Peers) tellStay(err error, stay time.Duration) (quiet func()) {
	if err == nil || p.members != nil || stay == 0 {
		return func() {}
	}
	timer := time.AfterFunc(time.Second, func() {
		p.Log.Info().Msgf("this host has failed, and stays up to %s to tell the others why", stay.Round(time.Second))
	})
	return func() { timer.Stop() }
}

// stayFor is how long to stay for those who have not come yet: no longer than this host would have waited for them. A host
// that was stopped, or that has waited for them, does not stay.
func (p *Peers) stayFor(err error) time.Duration {
	_, stopped := errors.AsType[*proc.SignalError](err)
	_, stop := errors.AsType[*rendezvous.StopError](err)
	_, trained := errors.AsType[*report.StoppedError](err)
	_, waited := errors.AsType[*hostwait.UnavailableError](err)
	if stopped || stop || trained || waited {
		return 0
	}
	return max(0, min(stayAfterFailure, time.Until(p.joined.Add(p.plan.Timeout))))
}

// Fail tells the other hosts why this one cannot begin, so that they need not wait for it. It returns the error, or the
// failure of another host.
func (h Process) Fail(snap *contract.Snapshot, o plan.Options, verb string, err error) error {
	p := plan.DecideFailure(snap, o)
	if p == nil {
		return err
	}
	others, joinErr := h.Join(p, verb, nil)
	if joinErr != nil {
		return err
	}
	return others.Leave(err)
}
