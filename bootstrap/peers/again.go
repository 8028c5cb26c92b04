package peers

import (
	"context"
	"errors"
	"time"

	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// MayRestart says whether the failure of this host's work may be healed by a new start: a trainer, a rank or
// a launcher ran and failed by itself. What else goes wrong would go wrong again.
func MayRestart(err error) bool {
	_, stopped := errors.AsType[*report.StoppedError](err)
	_, ran := errors.AsType[*proc.ExitError](err)
	launch, launched := errors.AsType[*report.LaunchError](err)
	return !stopped && (ran || launched && launch.First.Code != rendezvous.CodeLost)
}

// IsUsage says whether a trainer did not understand its arguments: see rendezvous.IsUsage.
func IsUsage(code int, after time.Duration) bool { return rendezvous.IsUsage(code, after) }

// Renew says what the rendezvous needs of the launch that starts again; nil for nothing.
func (p *Peers) Renew(l *Launch) {
	if p != nil && l != nil && l.OnQuiet != nil {
		p.onQuiet.Store(&l.OnQuiet)
	}
}

// isFinal says whether a failure would come again.
func isFinal(err error) bool { return err != nil && !MayRestart(err) }

// Restart tells the other hosts how this host's work ended, and waits until that is settled. It returns a
// *rendezvous.RestartError if the work of all hosts starts again, and nil if it does not.
func (p *Peers) Restart(err error) *rendezvous.RestartError {
	p.End(err, false)
	ctx, release := p.Signals.Context(context.Background())
	restart := p.Outcome(ctx)
	release()
	if _, stopped := errors.AsType[*proc.SignalError](context.Cause(ctx)); stopped {
		p.Stopped()
		return nil
	}
	return restart
}

// Again waits until all hosts are ready to start their work again. The error is why the job ends instead.
func (p *Peers) Again() error {
	ctx, release := p.Signals.Context(context.Background())
	err := p.Session.Again(ctx)
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(ctx)); ok {
		return stop
	}
	if p.isOutside {
		p.Quiet() // no rank is ever at work on this host
	}
	return err
}
