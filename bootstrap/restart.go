package bootstrap

import (
	"context"
	"errors"

	"entrain/bootstrap/launch"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/proc"
)

// restart starts the work again as long as it fails by itself and may be started again (--max-restarts): that
// of all hosts together, with the same ranks and without a new rendezvous. It returns the last job, and how
// its work ended.
func (d *Doer) restart(
	p *plan.Plan, others *peers.Peers, job job, ended proc.Exit, err error,
) (last job, end proc.Exit, failure error) {
	for count := 1; p.Restarts.Max > 0; count++ {
		if ended.Asked != 0 {
			return job, ended, stopped(p, others, ended, err)
		}
		why := d.whyAgain(p, others, count, ended, err)
		if why == "" {
			break
		}
		again := p.Restarted(count)
		old := job
		old.Close()
		if job, err = d.newJob(again); err != nil {
			return old, ended, err
		}
		keepKeys(job, old)
		job.Join(others)
		others.Renew(job.Announce())
		if err = job.Open(context.Background()); err == nil && others != nil {
			err = others.Again()
		}
		if err != nil {
			return job, ended, err
		}
		d.log.Warn().Msgf("restart %d of %d: %s", count, p.Restarts.Max, report.OneLine(p.Mask(why)))
		ended, err = d.work(again, others, job)
	}
	return job, ended, err
}

// stopped tells the other hosts that this one was asked to end while its work ran, or while the ranks were
// ended after a failure: nothing starts again then. The error is that of the stop where a rank had failed
// before it.
func stopped(p *plan.Plan, others *peers.Peers, ended proc.Exit, err error) error {
	if others != nil {
		others.Stopped()
	}
	failed, ok := errors.AsType[*report.LaunchError](err)
	if !ok || p.Launch == nil || !p.Launch.Own || failed.Exit == nil || failed.Exit.Told {
		return err // the work was told to end, and has chosen its own code
	}
	return &report.StoppedError{Cause: &proc.SignalError{Signal: ended.Asked}, Exit: failed.Exit}
}

// whyAgain says why the work starts again. It is empty where the work does not.
func (d *Doer) whyAgain(p *plan.Plan, others *peers.Peers, count int, ended proc.Exit, err error) string {
	switch {
	case others != nil:
		if restart := others.Restart(err); restart != nil {
			return restart.Cause.Error()
		}
		return ""
	case err == nil || count > p.Restarts.Max || !peers.MayRestart(err):
		return ""
	case peers.IsUsage(report.ExitCode(err), ended.Elapsed):
		return ""
	}
	return report.Summary(err)
}

// keepKeys gives a launch the keys that its host has told the others.
func keepKeys(job, old job) {
	before, ok := old.(*launch.Host)
	if after, isLaunch := job.(*launch.Host); ok && isLaunch {
		after.KeepKeys(before)
	}
}
