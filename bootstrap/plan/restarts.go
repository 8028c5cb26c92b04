package plan

import (
	"errors"
	"slices"
	"strconv"

	"entrain/contract"
	"entrain/hparams"
)

// Restarts says how often the trainers of all hosts may be started again, and how often they were.
type Restarts struct{ Max, Count int }

// The variables that tell a trainer of it. The first two are those of torchrun.
const (
	restartCountVariable = "TORCHELASTIC_RESTART_COUNT"
	maxRestartsVariable  = "TORCHELASTIC_MAX_RESTARTS"
	ownRestartVariable   = "ENTRAIN_RESTART_COUNT"
)

// decideRestarts says how often the work may start again. A job with a channel in Pipe mode cannot: a FIFO
// that was read does not come again.
func (p *Plan) decideRestarts(job *contract.Job, o Options) error {
	if o.MaxRestarts == 0 {
		return nil
	}
	isPipe := func(c contract.Channel) bool { return c.Mode == contract.ModePipe }
	if i := slices.IndexFunc(job.Channels, isPipe); i >= 0 {
		return &UsageError{Err: errors.New("--max-restarts: channel " + hparams.Quote(job.Channels[i].Name) +
			" is in Pipe mode, and an epoch that was read does not come again\nhint: use File or FastFile mode")}
	}
	switch {
	case len(job.Hosts) > 1 && p.Rendezvous == nil:
		return &UsageError{Err: errors.New("--max-restarts: without the rendezvous the hosts cannot start again " +
			"together\nhint: leave --rendezvous off out")}
	case o.Rendezvous.Ignore && len(job.Hosts) > 1:
		return &UsageError{Err: errors.New("--max-restarts: with --on-peer-failure ignore no failure ends the " +
			"others\nhint: leave one of the two out")}
	}
	p.Restarts.Max = o.MaxRestarts
	if p.Rendezvous != nil {
		p.Rendezvous.MaxRestarts = o.MaxRestarts
		p.Rendezvous.Digests["max-restarts"] = strconv.Itoa(o.MaxRestarts)
	}
	p.setRestarts()
	return nil
}

// setRestarts gives the trainer the variables that tell of restarts.
func (p *Plan) setRestarts() {
	vars := []string{
		restartCountVariable + "=" + strconv.Itoa(p.Restarts.Count),
		maxRestartsVariable + "=" + strconv.Itoa(p.Restarts.Max),
		ownRestartVariable + "=" + strconv.Itoa(p.Restarts.Count),
	}
	p.replaceVariables(vars)
}

// Restarted returns this Plan as it is for the trainers that start again.
func (p *Plan) Restarted(count int) *Plan {
	again := *p
	again.Restarts.Count = count
	again.setRestarts()
	return &again
}
