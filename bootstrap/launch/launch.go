// Package launch starts a job by a launcher such as mpirun. On the leader it supervises the launcher, on the other hosts it
// starts the launcher's daemons, and on all hosts it looks after the ranks.
//
// A launch is in one of six states on each host. Only machine.on moves it; it gives the actions that an event asks for, and
// Host.on carries them out.
//
//	waiting ──hosts released──> released ──rank began──> running
//	                               │                        │
//	                               ├──────stop asked────────┤
//	                               │                        │
//	                               ├──> stopping <──────────┤     the ranks get SIGTERM once, and have the grace
//	                               │       │                │
//	                               │   job failed           │
//	                               │       v                │
//	                               └──> failing <───────────┘     the ranks get SIGTERM, and a twelfth of --peer-timeout
//
//	any state ──launcher over──> over, which remembers the state before it
//
// Whoever tells of an event: Await's end (hosts released); a rank's wrapper, by the socket in Launch.Dir (rank began, rank
// ended); proc.Run, which reads the signals and sees the rendezvous' context end (stop asked, job failed, leader over); the
// rendezvous (no rank left); and the launcher's end (launcher over).
//
// No launcher is asked to stop its ranks: Open MPI would kill them a second after their SIGTERM. Each host sends its own
// ranks SIGTERM, once, and the ranks stay until all have saved what they save.
package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/events"
	"entrain/bootstrap/output"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/trainer"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Host is this host's part in a launch.
type Host struct {
	plan       *plan.Plan
	launch     *plan.Launch
	log        events.Log
	world      World
	rendezvous Rendezvous // nil for a host alone
	local      io.Closer  // serves the calls of the launcher and the ranks
	agent      agent      // starts daemons on other hosts; nil for a host alone
	newAgent   func(context.Context) (agent, error)

	// The key pair of ssh and sshd, where they are the agent.
	private []byte
	public  string

	launcherOver chan struct{} // closed when the launcher has ended, or the job is over
	end          func()        // closes it
	closed       chan struct{} // closed when nothing of this host is waited for any more

	work     bounded.Tally // goroutines that Close waits for
	sessions bounded.Tally // daemons on other hosts
	attended bounded.Tally // ranks of this host whose end is awaited

	mu      sync.Mutex
	machine machine
	ranks   []Rank
	reasons reasons
	stopped time.Time // when the launch was stopped or failed

	ooms int // processes that had been killed for lack of memory before
}

// New makes this host's part in the launch of a plan, before the hosts meet.
func New(p *plan.Plan, log events.Log, signals *proc.Signals) (*Host, error) {
	h := newHost(p, log, realWorld(signals))
	if p.Launch.Agent == plan.AgentOpenSSH {
		var err error
		if h.private, h.public, err = remote.NewPair(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// newHost makes a part in a world of the caller's choice.
func newHost(p *plan.Plan, log events.Log, world World) *Host {
	h := &Host{
		plan: p, launch: p.Launch, log: log, world: world,
		launcherOver: make(chan struct{}), closed: make(chan struct{}), ooms: world.OOMKills(),
		machine: machine{
			leads: p.Role == plan.Leader, script: p.Launch.Script, grace: p.End.Grace, endBound: endBound(peerTimeout(p)),
		},
	}
	h.newAgent = h.realAgent
	h.end = sync.OnceFunc(func() {
		h.on(launcherOver, nil)
		close(h.launcherOver)
	})
	return h
}

// peerTimeout is 0 for a host alone.
func peerTimeout(p *plan.Plan) time.Duration {
	if p.Rendezvous == nil {
		return 0
	}
	return p.Rendezvous.PeerTimeout
}

// Announce is what the rendezvous has to know of this host.
func (h *Host) Announce() *peers.Launch {
	return &peers.Launch{
		PublicKey: h.public,
		OnQuiet:   func() { h.work.Go(func() { h.on(noRankLeft, nil) }) }, // the rendezvous does not wait for it
	}
}

// Join takes over the rendezvous, before the hosts are released; nil for a host alone.
func (h *Host) Join(others *peers.Peers) {
	if others != nil { // a nil pointer in an interface would not be nil
		h.rendezvous = others
	}
}

// Run is the job itself, once all hosts are released. Of the launcher it returns how it ended; the error is a
// *report.LaunchError, a *proc.ExitError, or another host's *rendezvous.PeerError.
func (h *Host) Run() (proc.Exit, error) {
	o := trainer.Options(h.plan)
	h.on(hostsReleased, nil)
	hosts := h.launch.Hosts
	if h.rendezvous != nil {
		hosts = withSlots(hosts, h.rendezvous.Members())
		if err := h.agent.connect(h.rendezvous.Members()); err != nil {
			return proc.Exit{}, err
		}
		o.Memory = h.rendezvous.Memory()
	}
	launch := h.launch.Launch
	launch.Hosts = hosts
	files, err := launch.Hostfiles()
	if err != nil {
		return proc.Exit{}, err
	}
	for _, f := range files {
		if err := output.Atomically(f.Path, strings.NewReader(f.Text), 0o600); err != nil {
			return proc.Exit{}, err
		}
	}
	o.Stop = h.stop
	if h.machine.leads {
		return h.lead(launch, o)
	}
	return h.follow(o)
}

// withSlots are the hosts with the slots that they say they have.
func withSlots(hosts []mpi.Host, members []rendezvous.Member) []mpi.Host {
	slots := map[string]int{}
	for _, m := range members {
		slots[m.Host] = m.Slots
	}
	hosts = slices.Clone(hosts)
	for i, h := range hosts {
		hosts[i].Slots = max(1, slots[h.Name])
	}
	return hosts
}

// on takes an event, and carries out what it asks for. The rank is that which has begun, else nil.
func (h *Host) on(e event, r Rank) {
	elsewhere := h.rendezvous != nil && h.rendezvous.HasBegun()
	h.mu.Lock()
	if r != nil {
		h.ranks = append(h.ranks, r)
	}
	wasEnding := h.machine.ending()
	actions := h.machine.on(e, elsewhere)
	if h.machine.ending() && (!wasEnding || e == jobFailed) {
		h.stopped = time.Now()
	}
	ranks := h.ranks
	h.mu.Unlock()
	for _, a := range actions {
		h.do(a, ranks, r)
	}
}

// do carries out one action.
func (h *Host) do(a action, ranks []Rank, began Rank) {
	switch a.kind {
	case stopRank:
		began.Stop()
	case letRankGo:
		began.Leave()
	case stopRanks:
		for _, r := range ranks {
			r.Stop()
		}
	case letRanksGo:
		for _, r := range ranks {
			r.Leave()
		}
	case closeAgent:
		if h.agent != nil {
			h.agent.close()
		}
	case setDeadline:
		h.world.SetDeadline(a.term, a.kill)
	case tellBegun, tellStop, tellQuiet:
		h.tell(a.kind)
	}
}

// tell tells the other hosts. A host alone has nobody to tell, and its own quiet is that of all.
func (h *Host) tell(what actionKind) {
	switch r := h.rendezvous; {
	case r == nil && what == tellQuiet:
		h.on(noRankLeft, nil)
	case r == nil:
	case what == tellBegun:
		r.Begin()
	case what == tellStop:
		r.Stopped()
	case what == tellQuiet:
		r.Quiet()
	}
}

// stop is what proc.Run calls for a SIGTERM, with nil, and when another host ends this one.
func (h *Host) stop(cause error) {
	switch _, leader := errors.AsType[*rendezvous.OverError](cause); {
	case leader:
		h.on(leaderOver, nil)
	case cause != nil:
		h.on(jobFailed, nil)
	default:
		h.on(stopAsked, nil)
	}
}

// fault says why the job fails, of this host or, on the leader, of another.
func (h *Host) fault(host string, e rendezvous.End) {
	e.Text = h.plan.Mask(e.Text)
	if h.rendezvous == nil { // the launcher knows it too, and usually ends
		h.world.SetDeadline(h.machine.endBound, h.machine.endBound*3/2)
		return
	}
	h.rendezvous.Fault(host, e)
}

// hasBegun says whether a rank has begun, on any host.
func (h *Host) hasBegun() bool {
	h.mu.Lock()
	begun := h.machine.begun
	h.mu.Unlock()
	return begun || h.rendezvous != nil && h.rendezvous.HasBegun()
}

// isOver waits for the launcher's end, at most for a while.
func (h *Host) isOver(bound time.Duration) bool { return bounded.Wait(bound, h.launcherOver) }

// name is this host's name.
func (h *Host) name() string { return h.launch.Host }

// Close takes away what Open made.
func (h *Host) Close() {
	h.end()
	close(h.closed)
	if h.agent != nil {
		h.agent.close()
	}
	if h.local != nil {
		_ = h.local.Close() // it has no error
	}
	<-h.work.Idle()
	removeDirectory(h.launch.Dir)
}

// errGivenUp is the error of a daemon that nobody waits for any more.
func errGivenUp(host string) error { return fmt.Errorf("the launch on %s was given up", host) }
