package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// launching is a host's part in a job that a launcher starts: on the leader run supervises the launcher, on the others it
// starts the launcher's daemons, and on all it looks after the ranks of its host.
type launching struct {
	d      *Doer
	plan   *Plan
	launch *Launch
	m      *meeting // nil for a host alone
	leash  *proc.Leash
	guests proc.Guests
	local  *remote.Local
	agent  agent
	// The key pair of ssh and sshd, where they are the agent.
	private []byte
	public  string
	ended   chan struct{} // closed when the launcher has, or the job is over
	finish  func()        // closes it
	gone    chan struct{} // closed when nothing here is waited for any more
	hushed  chan struct{} // closed when no rank is at work on any host after a stop
	hush    func()        // closes it
	work    sync.WaitGroup

	sessions, attended sync.WaitGroup // launches on other hosts, and ranks on this one

	mu       sync.Mutex
	ranks    []*remote.RankConn
	working  int // ranks whose trainers have not ended
	stopping bool
	failing  bool
	lost     *rendezvous.PeerError // the first session that ended badly
	lostAt   time.Time             // when it did
	why      string                // why that session had no daemon; empty where the daemon ended by itself
	failed   *rendezvous.PeerError // the first rank of this host that did
	weight   int                   // what its end says
	stopped  time.Time             // when stopping began
	orphan   func()                // tells that an agent was killed; nil while none was

	ooms int // processes that had been killed for lack of memory before
}

// newLaunching makes the part, before the hosts meet: they tell it of stops.
func (d *Doer) newLaunching(plan *Plan) *launching {
	l := &launching{
		d: d, plan: plan, launch: plan.Launch, leash: proc.NewLeash(d.signals),
		ooms: proc.OOMKills(), ended: make(chan struct{}), gone: make(chan struct{}), hushed: make(chan struct{}),
	}
	l.finish = sync.OnceFunc(func() { close(l.ended) })
	l.hush = sync.OnceFunc(func() { close(l.hushed) })
	return l
}

// launch runs a job by its launcher.
func (d *Doer) launch(plan *Plan) error {
	l := d.newLaunching(plan)
	if plan.Launch.Agent == AgentOpenSSH {
		var err error
		if l.private, l.public, err = remote.NewPair(); err != nil {
			return err
		}
	}
	m, err := d.meetFor(l, plan.Meet, "run", plan.Mask)
	if err != nil {
		return err
	}
	l.m = m
	err = d.prepare(plan, m, l.open)
	if err == nil {
		err = l.run()
	}
	l.close()
	return d.leave(m, err)
}

// run is the job itself, once all hosts are released.
func (l *launching) run() error {
	if l.m != nil {
		l.launch.take(l.m.members)
		if err := l.agent.connect(l.m.members); err != nil {
			return err
		}
	}
	files, err := l.launch.Hostfiles()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := writeAtomically(f.Path, strings.NewReader(f.Text), 0o600); err != nil {
			return err
		}
	}
	l.work.Go(l.awaitQuiet)
	o := l.plan.procOptions()
	o.Guests, o.Leash, o.Stop = &l.guests, l.leash, l.stop
	if l.m != nil {
		o.Memory = l.m.plan.memory()
	}
	if l.launches() {
		return l.lead(o)
	}
	return l.follow(o)
}

// take takes over the slots that the hosts say they have.
func (l *Launch) take(members []rendezvous.Member) {
	slots := map[string]int{}
	for _, m := range members {
		slots[m.Host] = m.Slots
	}
	for i, h := range l.Hosts {
		l.Hosts[i].Slots = max(1, slots[h.Name])
	}
}

// launches says whether the launcher runs here.
func (l *launching) launches() bool { return l.plan.Role == Leader }

// lead runs the launcher. Its end is the job's, but it may say 0 where a session was lost (Open MPI 5 does).
func (l *launching) lead(o proc.Options) error {
	cmd := l.plan.cmd()
	if !l.launch.Script {
		cmd.Argv = l.launch.Argv() // with the slots that the hosts have
	}
	l.d.log.Debug().Msgf("starts %q", contract.MaskWords(cmd.Argv))
	var end error
	o.Ended = func(exit proc.Exit) {
		l.finish()
		follows := exit.Signal == 0 // a launcher ends when a rank fails
		if exit.Code != 0 {
			l.reason(exit.Code)
			end = l.because(&proc.ExitError{Program: cmd.Argv[0], Exit: exit})
		} else {
			if end = l.verdict(); end != nil {
				l.reason(exit.Code)
			}
			follows = l.hasLost() // else its 0 is the first thing that went wrong: ranks are ended only after it
		}
		if l.m != nil {
			l.m.end(end, follows)
		}
	}
	exit, err := proc.Run(l.m.context(), l.d.signals, cmd, o)
	l.d.trained(exit)
	l.d.remark(exit, "the launcher")
	return errors.Join(err, end)
}

// because gives a launcher's failure its reason where this host knows it. Of several hosts the rendezvous does.
func (l *launching) because(exit *proc.ExitError) error {
	l.within(settle/4, &l.attended) // a rank's last word may still be on its way
	begun := l.hasBegun()
	l.mu.Lock()
	defer l.mu.Unlock()
	first := rendezvous.PeerError{Host: l.host(), Code: exit.Code}
	switch {
	case l.stopping && !begun && !l.launch.Script:
		first.Code, first.Text = stoppedCode, stoppedEarly
	case l.stopping && time.Since(l.stopped) > l.plan.End.Grace*3/4:
		first.Text = fmt.Sprintf("stopped by SIGTERM, and not all ranks had ended at the end of the grace of %s", l.plan.End.Grace)
	case !l.stopping && !begun && !l.launch.Script && l.why != "": // the launcher only knows that a daemon is missing
		first.Host, first.Text = l.lost.Host, l.why
	case l.failed == nil || !l.stopping && (l.weight <= endByLauncher || l.m != nil && !l.launch.Script):
		return exit // the launcher knows more, or the other hosts do
	case l.stopping: // every host ends with the launcher's code then
		first.Text = l.failed.Text
	default:
		first = *l.failed
	}
	return &LaunchError{First: &first, Exit: exit}
}

// What a job ends with that was stopped before its launcher had started any rank.
const (
	stoppedCode  = 128 + int(syscall.SIGTERM)
	stoppedEarly = "stopped by SIGTERM before any rank had begun"
)

// follow serves the launcher until the leader says that it has ended.
func (l *launching) follow(o proc.Options) error {
	exit, err := proc.Run(l.m.context(), l.d.signals, proc.Cmd{}, o)
	l.d.trained(exit)
	if exit.Killed { // as all are at the end of the grace: the launcher's end comes next
		ctx, cancel := context.WithTimeout(l.m.context(), settle)
		<-ctx.Done()
		cancel()
	}
	l.finish()
	cause := context.Cause(l.m.context())
	over, isOver := errors.AsType[*rendezvous.OverError](cause)
	switch {
	case err != nil:
		return err
	case isOver && over.Code == 0 && l.hasCutShort():
		return l.abandoned()
	case isOver && over.Code == 0:
		return nil
	case isOver && l.stopping:
		return fmt.Errorf("stopped by SIGTERM: %w", over)
	case isOver:
		return over
	case exit.Killed && cause == nil:
		exit.Code, exit.Signal = 128+int(syscall.SIGKILL), syscall.SIGKILL
		return &proc.ExitError{Program: "the ranks of this host", Exit: exit}
	}
	return nil // another host's failure, which comes back from the meeting
}

// awaitQuiet lets the ranks go once all have saved what they save.
func (l *launching) awaitQuiet() {
	select {
	case <-l.hushed:
		l.allQuiet()
	case <-l.ended:
	}
}

// fault says why the job fails, of this host or, on the leader, of another.
func (l *launching) fault(host string, f rendezvous.End) {
	f.Text = l.plan.Mask(f.Text)
	if l.m == nil { // the launcher knows it too, and mostly ends
		l.leash.Shorten(l.fuse(), l.fuse()*3/2)
		return
	}
	l.m.session.Fault(host, f)
}
