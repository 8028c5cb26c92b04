// Package trainer supervises the trainer of a host in a job without a launcher. Every host then starts its
// own trainer.
package trainer

import (
	"context"
	"errors"
	"os"
	"syscall"

	"entrain/bootstrap/events"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/stream"
	"entrain/channel"
	"entrain/proc"
)

// Alone is a job in which this host starts its own trainer.
type Alone struct {
	log     events.Log
	signals *proc.Signals
	others  *peers.Peers
}

// New makes such a job.
func New(log events.Log, signals *proc.Signals) *Alone {
	return &Alone{log: log, signals: signals}
}

// Announce returns nil: the rendezvous need not know of the trainer.
func (a *Alone) Announce() *peers.Launch { return nil }

// Join gives the job its rendezvous; nil for a host alone.
func (a *Alone) Join(others *peers.Peers) { a.others = others }

// Open does nothing: the other hosts use nothing on this host.
func (a *Alone) Open(context.Context) error { return nil }

// Close does nothing, as Open has made nothing.
func (a *Alone) Close() {}

// Run runs the trainer of a plan until it ends. The error is a *proc.ExitError for a trainer that failed, and
// a *report.StoppedError for a trainer that a stop has ended.
func (a *Alone) Run(p *plan.Plan) (proc.Exit, error) {
	others := a.others
	ctx, stdin, err := stream.Start(others.Context(), a.log, p)
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
	report.Clear(p.ErrorFile)
	defer report.Clear(p.ErrorFile)
	o := Options(p)
	o.Stdin = stdin.Descriptor()
	if others != nil {
		o.Memory = others.Memory()
		o.Terminated = others.Stopped
		o.Ended = func(exit proc.Exit) {
			err := failure(exit)
			others.End(err, follows(err))
		}
	}
	exit, err := proc.Run(ctx, a.signals, proc.Cmd(p.Command), o)
	Remark(a.log, exit, "the trainer")
	return exit, errors.Join(err, failure(exit))
}

// StderrPipe is how many bytes of stderr wait for a slow reader before the trainer has to wait for it.
const StderrPipe = channel.PipeSize

// Options are the options of a plan for proc.Run: how it treats the trainer and how it ends the trainer.
func Options(p *plan.Plan) proc.Options {
	return proc.Options{
		PipeSize: StderrPipe,
		Grace:    p.End.Grace, SignalGroup: p.End.SignalGroup, ParentDeath: syscall.Signal(p.End.ParentDeath),
		NoCapture: p.End.NoCapture, Marker: cause.Marker,
	}
}

// failureOf is the error of a trainer that ended, nil if the trainer succeeded. ctx is the context that it
// ran under.
func failureOf(ctx context.Context, p *plan.Plan, exit proc.Exit) error {
	err := report.FailureOf(p.Command.Argv[0], exit, p.Hint(exit.Code, report.Said(exit)))
	ran, ok := errors.AsType[*proc.ExitError](err)
	if !ok {
		return err
	}
	if stop := stopOf(ctx, exit); stop != nil {
		return &report.StoppedError{Cause: stop, Exit: ran}
	}
	if p.ErrorFile == "" {
		return err
	}
	file, _ := os.ReadFile(p.ErrorFile) // most failures leave none
	return report.RankFailureOf(p.Host, ran, file, p.Mask)
}

// follows says whether a trainer's failure follows from another one: it says only that another process has
// gone.
func follows(err error) bool {
	if launch, ok := errors.AsType[*report.LaunchError](err); ok {
		return report.Follows(launch.Exit)
	}
	ran, ok := errors.AsType[*proc.ExitError](err)
	return ok && report.Follows(ran)
}
