// Package launch runs a job whose trainers a launcher such as mpirun starts. The leader supervises the
// launcher. The workers start the launcher's daemons. Every host looks after its own ranks.
//
// On each host a launch is in one of six states:
//
//	waiting ──hosts released──> released ──rank began──> running
//	   │                           │                        │
//	   └───────────┬───────────────┴────────────────────────┘
//	               │
//	               ├──stop asked──> stopping    each rank gets SIGTERM once, and has the grace of --grace
//	               │                    │
//	               │               job failed
//	               │                    v
//	               └──job failed──> failing     each rank gets SIGTERM, and has the failure grace (times.go)
//
//	any state ──launcher over──> over, which remembers the state before it
//
// Only machine.on changes the state. It takes an event and returns the actions that the event asks for.
// Host.on carries these actions out. The events come from these places:
//
//   - peers.Await returns: hosts released.
//   - A rank's wrapper writes to the socket in plan.Launch.Dir: rank began, rank ended.
//   - proc.Run reads a signal, or the rendezvous' context ends: stop asked, job failed, leader over.
//   - The rendezvous calls Launch.OnQuiet: no rank left.
//   - The launcher ends: launcher over.
//   - Host.watchBeginning and Host.watchPort look at a launch that does not succeed: ranks late, daemon
//     helpless.
//
// entrain does not ask a launcher to stop its ranks, since Open MPI kills ranks one second after their
// SIGTERM. Instead each host sends SIGTERM to its own ranks, once. No rank leaves before all have saved their
// work.
//
// Where there is no launcher (--launcher ranks), the type Ranks does a host's part: entrain itself starts the
// trainers of its host. The states are the same, and the events come from proc.Run and the rendezvous alone.
package launch

import (
	"context"
	"io"
	"sync"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/events"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/trainer"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Host is this host's part in a launch.
type Host struct {
	plan       *plan.Plan
	launch     *plan.Launch
	log        events.Log
	effects    Effects
	rendezvous Rendezvous // nil for a host alone
	local      io.Closer  // serves the calls of the launcher and of the ranks
	agent      agent      // starts daemons on other hosts; nil for a host alone
	newAgent   func(context.Context) (agent, error)

	// The key pair of ssh and sshd. Both are empty unless OpenSSH is the agent.
	privateKey []byte
	publicKey  string

	launcherOver chan struct{} // closed when the launcher has ended, or this host's part has
	setOver      func()        // closes launcherOver
	closed       chan struct{} // closed by Close: nobody waits for a daemon of this host any more
	ready        chan struct{} // closed when the files for the ranks say what is known since the hosts have met

	work          bounded.Tally // goroutines that Close waits for
	daemons       bounded.Tally // daemons that the launcher has asked this host's run for
	attendedRanks bounded.Tally // ranks of this host whose end is awaited

	mu          sync.Mutex
	env         []string // of the ranks and the daemons of this host
	machine     machine
	ranks       []Rank
	reasons     reasons
	command     mpi.Launch    // with the slots that the hosts have announced
	said        func() []byte // what the launcher has said so far; nil before it has started
	heeded      bool          // heedLauncher has told of a rank
	endWatched  bool          // watchEnd was called
	endingSince time.Time     // when the launch was stopped or failed

	oomKillsBefore int // processes that the kernel had killed for lack of memory before the launch
}

// New makes this host's part in the launch of a plan. Call it before this host joins the rendezvous.
func New(p *plan.Plan, log events.Log, signals *proc.Signals) (*Host, error) {
	h := newHost(p, log, realEffects(signals))
	if p.Launch.Agent == plan.AgentOpenSSH {
		var err error
		if h.privateKey, h.publicKey, err = remote.NewPair(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// newHost makes a Host that has the given effects.
func newHost(p *plan.Plan, log events.Log, effects Effects) *Host {
	h := &Host{
		plan: p, launch: p.Launch, log: log, effects: effects,
		launcherOver: make(chan struct{}), closed: make(chan struct{}), ready: make(chan struct{}),
		env: p.Command.Env, oomKillsBefore: effects.OOMKills(),
		machine: machine{
			leads: p.Role == plan.Leader, script: p.Launch.Script,
			grace: p.End.Grace, failureGrace: failureGrace(peerTimeout(p)),
		},
	}
	h.newAgent = h.realAgent
	h.setOver = sync.OnceFunc(func() {
		h.on(launcherOver, nil)
		close(h.launcherOver)
	})
	return h
}

// peerTimeout is --peer-timeout; 0 for a host alone.
func peerTimeout(p *plan.Plan) time.Duration {
	if p.Rendezvous == nil {
		return 0
	}
	return p.Rendezvous.PeerTimeout
}

// KeepKeys takes over the keys of this host's launch before, which the other hosts know.
func (h *Host) KeepKeys(before *Host) {
	h.privateKey, h.publicKey = before.privateKey, before.publicKey
}

// Announce returns what the rendezvous has to know of this host.
func (h *Host) Announce() *peers.Launch {
	return &peers.Launch{
		PublicKey: h.publicKey,
		// In a goroutine, since the rendezvous must not wait for the actions.
		OnQuiet: func() { h.work.Go(func() { h.on(noRankLeft, nil) }) },
	}
}

// Join gives the launch its rendezvous; nil for a host alone. Call it before the hosts are released.
func (h *Host) Join(others *peers.Peers) {
	if others != nil { // a nil pointer in an interface would not be nil
		h.rendezvous = others
	}
}

// Run does this host's part of the job. Call it when all hosts are released, with the plan of a host that has
// met the others. It returns how the launcher ended; on a worker, how the daemons ended. The error is a
// *report.LaunchError, a *proc.ExitError, or another host's *rendezvous.PeerError.
func (h *Host) Run(met *plan.Plan) (proc.Exit, error) {
	o := trainer.Options(h.plan)
	h.on(hostsReleased, nil)
	command := h.launch.Launch
	command.Hosts = met.Together.Hosts
	if err := h.writeMet(met, command); err != nil {
		return proc.Exit{}, err
	}
	if h.rendezvous != nil {
		if err := h.agent.connect(h.rendezvous.Members()); err != nil {
			return proc.Exit{}, err
		}
		o.Memory = h.rendezvous.Memory()
	}
	h.command = command
	o.Stop = h.onStop
	h.watchBeginning(command)
	if h.machine.leads {
		return h.lead(proc.Cmd(met.Command), command, o)
	}
	return h.follow(o)
}

// name is this host's name.
func (h *Host) name() string { return h.launch.Host }

// context ends when this host has to end, because another host failed or was stopped.
func (h *Host) context() context.Context {
	if h.rendezvous == nil {
		return context.Background()
	}
	return h.rendezvous.Context()
}

// hasBegun says whether a rank has begun, on any host.
func (h *Host) hasBegun() bool {
	h.mu.Lock()
	begun := h.machine.begun
	h.mu.Unlock()
	return begun || h.rendezvous != nil && h.rendezvous.HasBegun()
}

// awaitOver waits until the launcher has ended. It returns false if that does not happen within the bound.
func (h *Host) awaitOver(bound time.Duration) bool { return bounded.Wait(bound, h.launcherOver) }

// Close removes what Open made, and waits for the work that still goes on.
func (h *Host) Close() {
	h.setOver()
	close(h.closed)
	if h.agent != nil {
		h.agent.close()
	}
	if h.local != nil {
		_ = h.local.Close() // its error is always nil
	}
	<-h.work.Idle()
	removeDirectory(h.launch.Dir)
}
