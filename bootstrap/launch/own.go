package launch

import (
	"context"
	"os"
	"sync"

	"entrain/bootstrap/events"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/trainer"
	"entrain/proc"
)

// Ranks is this host's part in a job without a launcher (--launcher ranks): entrain itself starts the
// trainer once for each slot of its host. It is their init. No process stands between entrain and a trainer.
//
// The states are those of a launch, and the same machine holds them. There is no launcher that ends: a host
// is over when its own ranks have ended, and the job when all hosts are. So the rendezvous works as without a
// launcher: each host tells how its ranks ended, and hears of the first failure and of a stop.
type Ranks struct {
	plan       *plan.Plan
	launch     *plan.Launch
	log        events.Log
	effects    Effects
	rendezvous Rendezvous // nil for a host alone
	dir        string     // for the ranks' error files; empty if there can be none

	numbers []int // of the ranks of this host
	team    *proc.Team
	over    context.Context // ends when all ranks of this host have ended
	done    context.CancelFunc
	work    sync.WaitGroup // goroutines that Close waits for

	mu      sync.Mutex
	machine machine
	ends    []rankEnd // of the ranks that did not end with 0
}

// NewRanks makes this host's part in a job whose ranks entrain starts. Call it before this host joins the
// rendezvous.
func NewRanks(p *plan.Plan, log events.Log, signals *proc.Signals) *Ranks {
	return newRanks(p, log, realEffects(signals))
}

// newRanks makes Ranks that have the given effects.
func newRanks(p *plan.Plan, log events.Log, effects Effects) *Ranks {
	r := &Ranks{
		plan: p, launch: p.Launch, log: log, effects: effects,
		machine: machine{own: true, grace: p.End.Grace},
	}
	r.over, r.done = context.WithCancel(context.Background())
	return r
}

// Announce says that this host needs the slots of all hosts.
func (r *Ranks) Announce() *peers.Launch { return &peers.Launch{Own: true} }

// Join gives the ranks their rendezvous; nil for a host alone.
func (r *Ranks) Join(others *peers.Peers) {
	if others != nil { // a nil pointer in an interface would not be nil
		r.rendezvous = others
	}
}

// Open makes the directory for the error files. Ranks can do without it, as in a container without a writable
// /tmp.
func (r *Ranks) Open(context.Context) error {
	if err := keepPrivate(r.launch.Dir); err != nil {
		r.log.Debug().Msgf("the ranks have no error files: %v", err)
		return nil
	}
	r.dir = r.launch.Dir
	return nil
}

// Close removes what Open made.
func (r *Ranks) Close() {
	r.done()
	r.work.Wait()
	if r.dir == "" {
		return
	}
	for _, rank := range r.numbers {
		report.Clear(plan.ErrorFile(r.dir, rank))
	}
	removeEmpty(r.dir)
}

// Run starts the ranks of this host and waits for their ends. Call it when all hosts are released, with the
// plan of a host that has met the others. The error is a *report.LaunchError for a rank that failed, and a
// *report.StoppedError for ranks that a stop has ended. It is nil where this host only follows the failure of
// another one.
func (r *Ranks) Run(met *plan.Plan) (proc.Exit, error) {
	o := trainer.Options(r.plan)
	if r.rendezvous != nil {
		o.Memory = r.rendezvous.Memory()
	}
	members := make([]*proc.Member, met.Together.Slots)
	for local := range members {
		at := met.Together.Place(local)
		command, err := met.RankCommand(at, r.dir)
		if err != nil {
			return proc.Exit{}, err
		}
		report.Clear(plan.ErrorFile(r.dir, at.Rank.Rank)) // of an earlier run
		r.numbers = append(r.numbers, at.Rank.Rank)
		members[local] = &proc.Member{
			Cmd: proc.Cmd(command), Tag: plan.TagOf(at.Rank.Rank, r.launch.Tag),
			Ended: func(exit proc.Exit) { r.rankEnded(at.Rank.Rank, exit) },
		}
	}
	r.team = proc.NewTeam(members...)
	r.on(hostsReleased)
	for range members {
		r.on(rankBegan)
	}
	var failure error
	o.Team, o.Stop = r.team, r.onStop
	o.Ended = func(proc.Exit) {
		r.on(launcherOver)
		var follows bool
		if follows, failure = r.judge(); r.rendezvous != nil {
			r.rendezvous.End(failure, follows)
		}
	}
	exit, err := r.effects.Supervise(r.context(), proc.Cmd{}, o)
	if exit.Code = report.ExitCode(failure); err == nil {
		trainer.Remark(r.log, exit, "the ranks")
		err = failure
	}
	return exit, err
}

// context ends when this host has to end, because another host failed or was stopped.
func (r *Ranks) context() context.Context {
	if r.rendezvous == nil {
		return context.Background()
	}
	return r.rendezvous.Context()
}

// errorFile reads what a rank says about its failure. It is empty if the rank says nothing.
func (r *Ranks) errorFile(rank int) []byte {
	if r.dir == "" {
		return nil
	}
	data, _ := os.ReadFile(plan.ErrorFile(r.dir, rank)) // most ranks write none
	return data
}
