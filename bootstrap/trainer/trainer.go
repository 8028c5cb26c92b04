// Package trainer supervises the one trainer of a host that starts its own: without a launcher, every host does.
package trainer

import (
	"context"
	"errors"
	"syscall"

	"entrain/bootstrap/events"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/stream"
	"entrain/proc"
)

// Alone is a job in which this host starts its own trainer.
type Alone struct {
	plan    *plan.Plan
	log     events.Log
	signals *proc.Signals
	others  *peers.Peers
}

// New makes the job of a plan.
func New(p *plan.Plan, log events.Log, signals *proc.Signals) *Alone {
	return &Alone{plan: p, log: log, signals: signals}
}

// Announce is nil: the rendezvous has nothing to know of a trainer.
func (a *Alone) Announce() *peers.Launch { return nil }

// Join takes over the rendezvous; nil for a host alone.
func (a *Alone) Join(others *peers.Peers) { a.others = others }

// Open makes nothing: the other hosts look for nothing here.
func (a *Alone) Open(context.Context) error { return nil }

// Close has nothing to take away.
func (a *Alone) Close() {}

// Run runs the trainer to its end, and says how it ended. A trainer that does not succeed is a *proc.ExitError, one that a
// stop has ended a *report.StoppedError.
func (a *Alone) Run() (proc.Exit, error) {
	p, others := a.plan, a.others
	ctx, stdin, err := stream.Start(others.Context(), a.log, p.Stdin)
	if err != nil {
		return proc.Exit{}, err
	}
	defer stdin.Close()
	failure := func(exit proc.Exit) error {
		if err := stdin.Failure(); err != nil {
			return err
		}
		return failureOf(ctx, p, exit)
	}
	o := Options(p)
	o.Stdin = stdin.Descriptor()
	if others != nil {
		o.Memory = others.Memory()
		o.Terminated = others.Stopped
		o.Ended = func(exit proc.Exit) { others.End(failure(exit), false) }
	}
	exit, err := proc.Run(ctx, a.signals, proc.Cmd(p.Command), o)
	Remark(a.log, exit, "the trainer")
	return exit, errors.Join(err, failure(exit))
}

// Options say how a plan's trainer is treated and ended.
func Options(p *plan.Plan) proc.Options {
	return proc.Options{
		Grace: p.End.Grace, SignalGroup: p.End.SignalGroup, ParentDeath: syscall.Signal(p.End.ParentDeath),
		NoCapture: p.End.NoCapture, Marker: cause.Marker,
	}
}

// failureOf is the error of the trainer's end, nil where it succeeded.
func failureOf(ctx context.Context, p *plan.Plan, exit proc.Exit) error {
	err := report.FailureOf(p.Command.Argv[0], exit, p.UsageHint(exit.Code))
	if ran, ok := errors.AsType[*proc.ExitError](err); ok {
		if stop := stopOf(ctx, exit); stop != nil {
			return &report.StoppedError{Cause: stop, Exit: ran}
		}
	}
	return err
}
