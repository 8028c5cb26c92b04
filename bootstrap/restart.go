package bootstrap

import (
	"context"

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
	for count := 1; p.Restarts.Max > 0 && d.startsAgain(p, others, count, ended, err); count++ {
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
		ended, err = d.work(again, others, job)
	}
	return job, ended, err
}

// startsAgain says whether the work starts again, and logs why.
func (d *Doer) startsAgain(p *plan.Plan, others *peers.Peers, count int, ended proc.Exit, err error) bool {
	var why string
	switch {
	case others != nil:
		restart := others.Restart(err)
		if restart == nil {
			return false
		}
		why = restart.Cause.Error()
	case err == nil || count > p.Restarts.Max || !peers.MayRestart(err):
		return false
	case peers.IsUsage(report.ExitCode(err), ended.Elapsed):
		return false
	default:
		why = report.Summary(err)
	}
	d.log.Warn().Msgf("restart %d of %d: %s", count, p.Restarts.Max, report.OneLine(p.Mask(why)))
	return true
}

// keepKeys gives a launch the keys that its host has told the others.
func keepKeys(job, old job) {
	before, ok := old.(*launch.Host)
	if after, isLaunch := job.(*launch.Host); ok && isLaunch {
		after.KeepKeys(before)
	}
}
