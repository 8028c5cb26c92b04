package launch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// cluster is a leader and its workers in one process. Each host is the real Host; the launcher, its agents, the ranks and
// the rendezvous are stand-ins.
type cluster struct {
	t       *testing.T
	mu      sync.Mutex
	begun   bool
	stopped bool
	quiet   map[string]bool
	first   *rendezvous.PeerError // the first failure that was told
	hosts   []*member
}

// member is a host of a cluster, and its Rendezvous.
type member struct {
	cluster *cluster
	name    string
	host    *Host
	ctx     context.Context
	cancel  context.CancelCauseFunc
	asked   chan error      // what Options.Stop is to be called with
	term    context.Context // ends when SIGTERM is due
	kill    context.Context // ends when SIGKILL is due
	setTerm context.CancelFunc
	setKill context.CancelFunc
	ranks   []*standInRank
}

// standInRank is a rank whose trainer ends when it is told to, or when it saves after a stop.
type standInRank struct {
	number  int
	stops   int           // how often it got SIGTERM
	left    bool          // it may leave
	saves   time.Duration // after a stop
	end     remote.RankEnd
	done    chan struct{}
	stopped sync.Once
	over    sync.Once
}

func (r *standInRank) Number() int           { return r.number }
func (r *standInRank) Leave()                { r.left = true }
func (r *standInRank) Done() <-chan struct{} { return r.done }

func (r *standInRank) End() (remote.RankEnd, bool) { return r.end, true }

func (r *standInRank) Stop() {
	r.stops++
	r.stopped.Do(func() { time.AfterFunc(r.saves, func() { r.exit(0) }) })
}

// exit ends the trainer by itself.
func (r *standInRank) exit(code int) {
	r.over.Do(func() {
		r.end = remote.RankEnd{Code: code, At: time.Now(), Text: "exit code"}
		close(r.done)
	})
}

func (m *member) Context() context.Context { return m.ctx }
func (m *member) Members() (all []rendezvous.Member) {
	for _, other := range m.cluster.hosts {
		all = append(all, rendezvous.Member{Host: other.name, Slots: 1})
	}
	return all
}
func (m *member) Memory() int64 { return 0 }

func (m *member) Begin() {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	m.cluster.begun = true
}

func (m *member) HasBegun() bool {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	return m.cluster.begun
}

// Stopped stops all hosts, as the rendezvous does by a SIGTERM that each host sends to itself.
func (m *member) Stopped() {
	m.cluster.mu.Lock()
	again := m.cluster.stopped
	m.cluster.stopped = true
	m.cluster.mu.Unlock()
	if again {
		return
	}
	for _, other := range m.cluster.hosts {
		other.asked <- nil
	}
}

func (m *member) Quiet() {
	m.cluster.mu.Lock()
	m.cluster.quiet[m.name] = true
	all := len(m.cluster.quiet) == len(m.cluster.hosts)
	m.cluster.mu.Unlock()
	if all {
		for _, other := range m.cluster.hosts {
			other.host.Announce().OnQuiet()
		}
	}
}

// Fault ends all hosts by the first failure.
func (m *member) Fault(host string, e rendezvous.End) {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	if m.cluster.first != nil {
		return
	}
	m.cluster.first = &rendezvous.PeerError{Host: host, Code: e.Code, Text: e.Text}
	for _, other := range m.cluster.hosts {
		other.cancel(m.cluster.first)
	}
}

// End tells how the leader's launcher has ended.
func (m *member) End(err error, _ bool) {
	over := &rendezvous.OverError{}
	if err != nil {
		over.Code = 1
	}
	for _, other := range m.cluster.hosts[1:] {
		other.cancel(over)
	}
}

func (m *member) Listen(context.Context) (net.Listener, error) { return nil, errors.New("no network") }
func (m *member) Home(context.Context) netip.Addr              { return netip.Addr{} }

// connect, exec and close make the leader an agent that starts a rank on the host that is asked for.
func (m *member) connect([]rendezvous.Member) error { return nil }
func (m *member) close()                            {}

func (m *member) exec(host string, _ []string, _ [3]*os.File) (int, error) {
	for _, other := range m.cluster.hosts {
		if other.name == host {
			return other.startRank(), nil
		}
	}
	return remote.CodeSSHError, errors.New("no such host")
}

// startRank is a daemon of the launcher: it starts the host's rank and ends with its code.
func (m *member) startRank() int {
	r := m.ranks[0]
	m.host.rankBegan(r)
	<-r.done
	return r.end.Code
}

// supervise is proc.Run: on the leader the launcher, which asks for a session on each host; on a worker nothing but the
// daemons.
func (m *member) supervise(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error) {
	ended := make(chan int, 1)
	if len(cmd.Argv) > 0 {
		go func() { ended <- m.launcher(ctx) }()
	}
	exit := proc.Exit{}
	stops := m.asked
	for over, done := false, ctx.Done(); !over; {
		select {
		case cause := <-stops:
			o.Stop(cause)
		case <-done:
			done = nil
			o.Stop(context.Cause(ctx))
		case exit.Code = <-ended:
			over = true
		case <-m.kill.Done():
			exit.Killed, over = true, true
		}
	}
	exit.At = time.Now()
	if o.Ended != nil {
		o.Ended(exit)
	}
	return exit, nil
}

// launcher ends with the code of the first rank that does not end with 0, and with 1 at SIGTERM.
func (m *member) launcher(ctx context.Context) int {
	codes := make(chan int, len(m.cluster.hosts))
	for _, other := range m.cluster.hosts {
		go func() {
			if other == m {
				codes <- m.startRank()
				return
			}
			code, _ := m.host.session(ctx, other.name, nil, [3]*os.File{})
			codes <- code
		}()
	}
	for range m.cluster.hosts {
		select {
		case code := <-codes:
			if code != 0 {
				time.Sleep(100 * time.Millisecond) // a launcher needs a moment to end
				return code
			}
		case <-m.term.Done():
			return 1
		}
	}
	return 0
}

// newCluster makes hosts that have one rank each, which saves for a second when it is stopped.
func newCluster(t *testing.T, names ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, quiet: map[string]bool{}}
	var hosts []mpi.Host
	for _, name := range names {
		hosts = append(hosts, mpi.Host{Name: name, Slots: 1})
	}
	for i, name := range names {
		m := &member{cluster: c, name: name, asked: make(chan error, 8)}
		m.ctx, m.cancel = context.WithCancelCause(t.Context())
		m.term, m.setTerm = context.WithCancel(t.Context())
		m.kill, m.setKill = context.WithCancel(t.Context())
		m.ranks = []*standInRank{{number: i, saves: time.Second, done: make(chan struct{})}}
		p := &plan.Plan{
			Role: plan.Worker, Command: plan.Command{Argv: []string{"mpirun"}}, End: plan.End{Grace: time.Minute},
			Rendezvous: &plan.Rendezvous{PeerTimeout: 24 * time.Second}, Launch: &plan.Launch{Host: name, Dir: t.TempDir() + "/launch"},
		}
		p.Launch.Hosts = hosts
		p.Launch.Rank = []string{"/entrain"}
		p.Launch.Hostfile = p.Launch.Dir + "/hostfile"
		if i == 0 {
			p.Role = plan.Leader
		} else {
			p.Command.Argv = nil
		}
		m.host = newHost(p, events.Log{Logger: zerolog.Nop()}, m.world())
		m.host.newAgent = func(context.Context) (agent, error) { return m, nil }
		m.host.rendezvous = m
		c.hosts = append(c.hosts, m)
	}
	return c
}

func (m *member) world() World {
	return World{
		Supervise: m.supervise,
		SetDeadline: func(term, kill time.Duration) {
			time.AfterFunc(term, m.setTerm)
			time.AfterFunc(kill, m.setKill)
		},
		OOMKills: func() int { return 0 },
		Serve:    func(string, Calls) (io.Closer, error) { return io.NopCloser(nil), nil },
	}
}

// run runs all hosts to their end, and gives how each ended: by the first failure that was told, else by its own error.
func (c *cluster) run() []error {
	errs := make([]error, len(c.hosts))
	var all sync.WaitGroup
	for _, m := range c.hosts {
		if err := m.host.Open(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
	for i, m := range c.hosts {
		all.Go(func() {
			_, errs[i] = m.host.Run()
			m.host.Close()
			if c.first != nil {
				errs[i] = c.first
			}
		})
	}
	all.Wait()
	return errs
}
