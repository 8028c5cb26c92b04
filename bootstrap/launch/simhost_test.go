package launch

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"entrain/bootstrap/peers"
	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/hostwait/rendezvous/simnet"
	"entrain/mpi/remote"
	"entrain/proc"
)

// simHost is a host of a simulation: a real Host and a real session of the rendezvous. The launcher, its
// daemons, the agent between the hosts and the ranks are stand-ins.
type simHost struct {
	*rendezvous.Session
	job     *simJob
	net     *simnet.Net
	machine *simnet.Machine
	name    string
	number  int
	life    simLife
	host    *Host
	members []rendezvous.Member
	ranks   []*simRank
	asked   chan struct{}   // holds the SIGTERMs that this host was sent
	term    context.Context // ends when SIGTERM is due for the launcher
	kill    context.Context // ends when SIGKILL is due for all processes
	setTerm context.CancelFunc
	setKill context.CancelFunc
	closed  chan struct{} // closed when the agent ends
	done    context.Context

	daemonDied bool // while ranks were at work
	released   bool
	releasedAt time.Duration
	over       bool          // the host has ended
	overAt     time.Duration // when
	err        error         // how
}

// simLife is what a seed decides for a host, beside its ranks.
type simLife struct {
	starts     time.Duration // when entrain starts
	stopAt     time.Duration // when the platform sends SIGTERM; 0: never
	daemonDies time.Duration // after its start; 0: it does not
	hangs      bool          // the launcher does not end by itself when a rank has failed
	kills      bool          // it kills the other ranks then
}

// Members, Memory and End are what peers adds to a session.
func (h *simHost) Members() []rendezvous.Member { return h.members }
func (h *simHost) Memory() int64                { return 0 }

func (h *simHost) End(err error, follows bool) {
	text := strings.TrimPrefix(report.Summary(err), h.name+": ")
	h.Session.End(rendezvous.End{Code: report.ExitCode(err), Text: text, At: time.Now(), Follows: follows})
}

// run is the life of a host, as bootstrap.Run and peers.Leave make it.
func (h *simHost) run() {
	select {
	case <-time.After(h.life.starts):
	case <-h.done.Done():
		return
	}
	var err error
	if h.Session, err = rendezvous.Open(h.job.config(h)); err != nil {
		panic(err)
	}
	h.host.rendezvous = h
	if err = h.host.Open(h.done); err != nil {
		panic(err)
	}
	h.Ready(nil)
	ctx, cancel := context.WithTimeout(h.done, simWait)
	h.members, err = h.Gather(ctx)
	cancel()
	if h.released = err == nil; h.released {
		h.releasedAt = h.net.Since()
		slots := map[string]int{}
		for _, m := range h.members {
			slots[m.Host] = m.Slots
		}
		met, wrong := h.host.plan.Meet(slots)
		if wrong != nil {
			panic(wrong)
		}
		_, err = h.host.Run(met)
	}
	h.host.Close()
	h.net.Note("%s: its part ends with %v", h.name, err)
	h.End(err, false)
	leaving, cancel := context.WithCancel(h.done)
	go func() {
		select {
		case <-h.machine.Killed():
			cancel()
		case <-leaving.Done():
		}
	}()
	peer := h.Leave(leaving, 0)
	cancel()
	h.err, h.over, h.overAt = h.outcome(peer, err), true, h.net.Since()
	h.net.Note("%s: ends with %d: %v", h.name, report.ExitCode(h.err), h.err)
}

// outcome is the error of a host, as in peers.Leave.
func (h *simHost) outcome(peer, err error) error {
	first, failed := errors.AsType[*rendezvous.PeerError](peer)
	exit, isExit := errors.AsType[*proc.ExitError](err)
	own, isOwn := errors.AsType[*report.LaunchError](err)
	switch {
	case failed && isExit:
		return &report.LaunchError{First: first, Exit: exit}
	case failed && isOwn && *own.First == *first:
		return err
	case failed:
		return peer
	case err != nil:
		return peers.AfterOver(err, context.Cause(h.Context()))
	}
	return nil
}

func (h *simHost) effects() Effects {
	return Effects{
		Supervise: h.supervise,
		SetDeadline: func(term, kill time.Duration) {
			time.AfterFunc(term, h.setTerm)
			time.AfterFunc(kill, h.setKill)
		},
		OOMKills: func() int { return 0 },
		ReachOf: func([]netip.AddrPort) (remote.Reach, netip.AddrPort) {
			return remote.ReachUntried, netip.AddrPort{}
		},
		Serve: func(string, Calls) (io.Closer, error) { return io.NopCloser(nil), nil },
	}
}

// connect, exec and close make the leader an agent.
func (h *simHost) connect([]rendezvous.Member) error { return nil }

func (h *simHost) close() {
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
}

// exec runs the launcher's daemon on another host. A host that is killed is lost after --peer-timeout.
func (h *simHost) exec(host string, _ []string, _ [3]*os.File) (int, error) {
	other := h.job.find(host)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var ended chan int
	heard := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-h.closed:
			return 0, errors.New("the launch was given up")
		}
		if !other.machine.IsKilled() && h.net.Carries(other.number) {
			heard = time.Now()
			if ended == nil {
				ended = make(chan int, 1)
				go func() { ended <- other.daemon() }()
			}
			select {
			case code := <-ended:
				return code, nil
			default:
			}
		}
		if time.Since(heard) >= h.job.timeout {
			return remote.CodeSSHError, &remote.LostError{Host: host, Why: "it does not answer"}
		}
	}
}

// daemon starts the ranks of a host. It ends with the first exit code that is not 0, or when all have ended.
func (h *simHost) daemon() int {
	codes := make(chan int, len(h.ranks))
	for _, r := range h.ranks {
		go func() { codes <- h.startRank(r) }()
	}
	dies := make(<-chan time.Time)
	if h.life.daemonDies > 0 {
		dies = time.After(h.life.daemonDies)
	}
	for range h.ranks {
		select {
		case code := <-codes:
			if code != 0 {
				return code
			}
		case <-dies:
			h.net.Note("%s: the daemon is killed", h.name)
			h.daemonDied = true
			h.killRanks()
			return codeKilled
		}
	}
	return 0
}

// startRank runs a rank to the end of its wrapper.
func (h *simHost) startRank(r *simRank) int {
	if r.life.begins == 0 {
		<-h.kill.Done() // it hangs
		return codeKilled
	}
	select {
	case <-time.After(r.life.begins):
	case <-h.kill.Done():
		return codeKilled
	}
	h.net.Note("%s: rank %d begins", h.name, r.number)
	r.mu.Lock()
	r.began = true
	r.mu.Unlock()
	h.host.rankBegan(r)
	time.AfterFunc(r.life.trains, func() {
		if !r.isStopped() { // else it ends when it has saved
			r.exit(r.life.code, false)
		}
	})
	return r.wrapper()
}

func (h *simHost) killRanks() {
	for _, r := range h.ranks {
		r.exit(codeKilled, true)
	}
}

// supervise stands for proc.Run.
func (h *simHost) supervise(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error) {
	ended := make(chan int, 1)
	if len(cmd.Argv) > 0 {
		go func() { ended <- h.launcher() }()
	}
	exit := proc.Exit{}
	stop := make(<-chan time.Time)
	if h.life.stopAt > 0 {
		stop = time.After(max(0, h.life.stopAt-h.net.Since()))
	}
	for over, isOver := false, ctx.Done(); !over; {
		select {
		case <-stop:
			h.net.Note("%s: is sent SIGTERM", h.name)
			o.Stop(nil)
		case <-h.asked:
			o.Stop(nil)
		case <-isOver:
			isOver = nil
			h.net.Note("%s: is told: %v", h.name, context.Cause(ctx))
			o.Stop(context.Cause(ctx))
		case exit.Code = <-ended:
			over = true
		case <-h.kill.Done():
			exit.Killed, exit.Code, over = true, codeKilled, true
		}
	}
	exit.At = time.Now()
	if o.Ended != nil {
		o.Ended(exit)
	}
	h.killRanks() // what is left gets SIGKILL
	h.setKill()
	return exit, nil
}

// launcher starts a daemon on each host. It ends with the first exit code that is not 0, a moment after it
// has killed its ranks, and with 1 at SIGTERM.
func (h *simHost) launcher() int {
	codes := make(chan int, len(h.job.hosts))
	rsh, over := context.WithCancel(context.Background())
	defer over()
	for _, other := range h.job.hosts {
		go func() {
			if other == h {
				codes <- h.daemon()
				return
			}
			code, _ := h.host.runDaemon(rsh, other.name, nil, [3]*os.File{})
			codes <- code
		}()
	}
	for range h.job.hosts {
		select {
		case code := <-codes:
			if code == 0 {
				continue
			}
			if h.life.hangs {
				<-h.term.Done()
			}
			time.Sleep(100 * time.Millisecond)
			if h.life.kills {
				h.job.killRanks()
			}
			return code
		case <-h.term.Done():
			return 1
		}
	}
	return 0
}
