package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/trainer"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// rankEnd is how a rank of this host has failed.
type rankEnd struct {
	exit *proc.ExitError
	end  rendezvous.End // its text names the rank
}

// on takes an event and carries out the actions that it asks for.
func (r *Ranks) on(e event) {
	r.mu.Lock()
	actions := r.machine.on(e, false)
	r.mu.Unlock()
	for _, a := range actions {
		switch a.kind {
		case stopRanks:
			r.team.Terminate(r.plan.End.SignalGroup)
		case setDeadline:
			r.effects.SetDeadline(a.term, a.kill)
		case tellStop:
			if r.rendezvous != nil && r.context().Err() == nil { // else another host has stopped this one
				r.rendezvous.Stopped()
			}
		case tellBegun, tellQuiet, stopRank, letRankGo, letRanksGo, closeAgent, failLaunch:
			// Nobody but a launcher needs to know, or may be in the way.
		}
	}
}

// onStop is the Stop of the proc.Options that Run passes on.
func (r *Ranks) onStop(cause error) {
	_, stopped := errors.AsType[*rendezvous.StopError](cause)
	_, over := errors.AsType[*rendezvous.OverError](cause)
	if stopped || over || cause == nil {
		r.on(stopAsked)
		return
	}
	r.on(jobFailed)
}

// rankEnded is called when the trainer of a rank has ended. A rank that failed by itself fails the job.
func (r *Ranks) rankEnded(rank int, exit proc.Exit) {
	defer r.on(rankEnded)
	if exit.Code == 0 {
		return
	}
	e := r.endOf(rank, exit)
	r.mu.Lock()
	ending := r.machine.ending()
	r.ends = append(r.ends, e)
	r.mu.Unlock()
	if exit.Told || ending {
		return
	}
	switch {
	case r.rendezvous != nil:
		r.rendezvous.Fault(r.launch.Host, e.end) // all hosts hear of the first failure, this one too
	case e.end.Follows: // the rank whose end is the cause may still be at work
		r.work.Go(func() {
			if !waitFor(r.over, causeBound) {
				r.on(jobFailed)
			}
		})
		return
	}
	if !e.end.Follows {
		r.on(jobFailed)
	}
}

// waitFor waits until a context ends. It returns false if that does not happen within the bound.
func waitFor(ctx context.Context, bound time.Duration) bool {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return true
	case <-timer.C:
		return false
	}
}

// endOf says how a rank failed: by the message in its error file, if it wrote one, else by the line of its
// stderr that tells most.
func (r *Ranks) endOf(rank int, exit proc.Exit) rankEnd {
	hint := r.plan.Hint(exit.Code, report.Said(exit))
	failed, _ := errors.AsType[*proc.ExitError](report.FailureOf(r.plan.Command.Argv[0], exit, hint))
	text := r.plan.Mask(report.RankSummary(failed, r.errorFile(rank)))
	text = fmt.Sprintf("rank %d: %s", rank, cause.OneLine(cause.Fit(text)))
	return rankEnd{failed, rendezvous.End{
		Code: failed.Code, Text: text, At: exit.At, Follows: report.Follows(failed),
	}}
}

// judge says what the ends of this host's ranks mean: the error, and whether it follows from another failure.
func (r *Ranks) judge() (follows bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done()
	if r.machine.phase() == stopping || r.machine.phase() == failing && !r.machine.failedFirst {
		return false, r.afterStop()
	}
	byThemselves := slices.DeleteFunc(slices.Clone(r.ends), func(e rankEnd) bool { return e.exit.Told })
	if len(byThemselves) == 0 {
		return false, nil // another host has failed, and all hosts hear of that
	}
	first := slices.MinFunc(byThemselves, earlier)
	return first.end.Follows, r.failureOf(first)
}

// earlier orders failures. One that only follows from another comes after all others.
func earlier(a, b rankEnd) int {
	switch {
	case a.end.Follows == b.end.Follows:
		return a.end.At.Compare(b.end.At)
	case a.end.Follows:
		return 1
	}
	return -1
}

// failureOf is the error of a rank that has failed.
func (r *Ranks) failureOf(e rankEnd) error {
	first := &rendezvous.PeerError{Host: r.launch.Host, Code: e.end.Code, Text: e.end.Text}
	return &report.LaunchError{First: first, Exit: e.exit}
}

// afterStop is the error of ranks that were stopped: nil if all ended well, and a *report.StoppedError if
// they died of it. A rank that chose a code of its own counts more, unless it only follows from the end of
// another one.
func (r *Ranks) afterStop() error {
	died, own := []rankEnd(nil), []rankEnd(nil)
	for _, e := range r.ends {
		if trainer.EndedByStop(e.exit.Exit) || e.end.Follows {
			died = append(died, e)
		} else {
			own = append(own, e)
		}
	}
	switch {
	case len(own) > 0:
		return r.failureOf(slices.MinFunc(own, func(a, b rankEnd) int {
			return cmp.Or(a.end.At.Compare(b.end.At), cmp.Compare(a.end.Text, b.end.Text))
		}))
	case len(died) == 0:
		return nil
	}
	var stopper error = &proc.SignalError{Signal: syscall.SIGTERM}
	if stop, ok := errors.AsType[*rendezvous.StopError](context.Cause(r.context())); ok {
		stopper = stop
	}
	return &report.StoppedError{Cause: stopper, Exit: died[0].exit}
}
