package peers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

const (
	// longestStay is how long a host that has failed waits at most for hosts that have not joined yet, in order
	// to tell them. The containers of a job usually start within a minute of each other. A --wait-timeout that
	// ends earlier ends the stay too.
	longestStay = time.Minute
	// quietStay is how long a host stays before it logs that it stays. Most stays end at once. It must be
	// shorter than longestStay.
	quietStay = time.Second
)

// Leave tells the other hosts how this host's work ended, and stays while they need this host. It returns the
// job's error: another host's failure if that came first, else err, this host's own.
func (p *Peers) Leave(err error) error {
	if p == nil {
		return err
	}
	err = p.explainLimit(err)
	p.End(err, false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	firstSignal := make(chan error, 1)
	release := p.Signals.Watch(func(sig syscall.Signal) {
		select {
		case firstSignal <- &proc.SignalError{Signal: sig}:
		default:
		}
		p.Hurry() // hosts that have not joined are not waited for any more
		if sig == syscall.SIGTERM {
			p.Stopped() // the other hosts are stopped too, and this host stays until they have ended
			return
		}
		cancel()
	})
	stay := p.stayFor(err)
	stayed := p.tellStay(err, stay)
	peer := p.Session.Leave(ctx, stay)
	stayed()
	release()
	if peer != nil {
		return p.peerFailure(peer, err)
	}
	if p.isOver() {
		p.tellEndedByLeader(err)
		return nil
	}
	if err != nil {
		return AfterOver(err, context.Cause(p.Session.Context()))
	}
	if refused, ok := errors.AsType[*rendezvous.RefusedError](context.Cause(p.Session.Context())); ok {
		return refused // the trainer was stopped because of that, and may have ended with 0
	}
	if p.verb != "run" && len(firstSignal) > 0 {
		return <-firstSignal // the signal asks the process not to go on, as exec would with the trainer
	}
	return nil
}

// AfterOver is the error of a host whose own error is err. A worker whose ranks were killed at the end of the
// grace may hear only afterwards how the leader's launcher has ended: all hosts end with that.
func AfterOver(err, cause error) error {
	over, isOver := errors.AsType[*rendezvous.OverError](cause)
	exit, isExit := errors.AsType[*proc.ExitError](err)
	if isOver && over.Code != 0 && isExit && exit.Killed {
		return fmt.Errorf("stopped by SIGTERM: %w", over)
	}
	return err
}

// isOver says whether the job has ended with the work of the leader, which has ended with 0.
func (p *Peers) isOver() bool {
	over, ok := errors.AsType[*rendezvous.OverError](context.Cause(p.Session.Context()))
	return ok && p.plan.UntilLeader && over.Code == 0
}

// tellEndedByLeader logs how this host's work ended once the leader's had.
func (p *Peers) tellEndedByLeader(err error) {
	how := "ended well"
	if err != nil {
		how = strings.TrimPrefix(report.Summary(err), p.plan.Host+": ")
	}
	p.Log.Info().Msgf("the job has ended with the work of its leader %s; this host: %s", p.plan.Hosts[0], how)
}

// peerFailure is the job's error where another host has failed first and this host's work ended with err.
func (p *Peers) peerFailure(peer, err error) error {
	theirs, _ := errors.AsType[*rendezvous.PeerError](peer)
	if exit, ok := errors.AsType[*proc.ExitError](err); ok && p.plan.MPI {
		return &report.LaunchError{First: theirs, Exit: exit}
	}
	if launch, ok := errors.AsType[*report.LaunchError](err); ok && *launch.First == *theirs {
		return err // the same failure, and it says more
	}
	if err != nil && peer.Error() != err.Error() {
		text := strings.TrimPrefix(report.Summary(err), p.plan.Host+": ")
		own := rendezvous.PeerError{Host: "this host", Text: text}
		p.Log.Warn().Msg(own.Error())
	}
	return peer
}

// tellStay logs why this host stays, if it has failed before the release and stays longer than quietStay.
// Call stayed at the end of the stay.
func (p *Peers) tellStay(err error, stay time.Duration) (stayed func()) {
	if err == nil || p.members != nil || stay == 0 {
		return func() {}
	}
	timer := time.AfterFunc(quietStay, func() {
		p.Log.Info().Msgf("this host has failed, and stays up to %s to tell the others why",
			stay.Round(time.Second))
	})
	return func() { timer.Stop() }
}

// stayFor is how long to stay for hosts that have not joined yet: no longer than this host would have waited
// for them. A host that was stopped, or that has waited in vain, does not stay.
func (p *Peers) stayFor(err error) time.Duration {
	_, stopped := errors.AsType[*proc.SignalError](err)
	_, stoppedByPeer := errors.AsType[*rendezvous.StopError](err)
	_, trainerStopped := errors.AsType[*report.StoppedError](err)
	_, waited := errors.AsType[*hostwait.UnavailableError](err)
	if stopped || stoppedByPeer || trainerStopped || waited {
		return 0
	}
	return max(0, min(longestStay, time.Until(p.joined.Add(p.plan.Timeout))))
}

// Fail tells the other hosts why this host cannot begin, so that they do not wait for it. It returns err, or
// another host's failure if that came first.
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

// explainLimit adds to an error for lack of open files how many this host may have, and how many it needs.
func (p *Peers) explainLimit(err error) error {
	need := p.FilesNeeded()
	if !errors.Is(err, syscall.EMFILE) || need == 0 {
		return err
	}
	return fmt.Errorf("%w: this host may have %d, and as the leader of %d hosts it needs %d\nhint: docker run "+
		"--ulimit nofile=%d, or ulimit -n", err, rendezvous.FilesLimit(), len(p.plan.Hosts), need, need)
}
