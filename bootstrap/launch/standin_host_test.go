package launch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// standInHost is a host of a standInJob, and its Rendezvous.
type standInHost struct {
	job     *standInJob
	name    string
	host    *Host
	ctx     context.Context
	cancel  context.CancelCauseFunc
	asked   chan error      // the values to call Options.Stop with
	term    context.Context // ends when SIGTERM is due
	kill    context.Context // ends when SIGKILL is due
	setTerm context.CancelFunc
	setKill context.CancelFunc
	ranks   []*standInRank
	slots   int  // the ranks that the launcher should start; it starts one
	stuck   bool // the daemon starts no rank, and does not end
}

func (m *standInHost) Context() context.Context { return m.ctx }
func (m *standInHost) Members() (all []rendezvous.Member) {
	for _, other := range m.job.hosts {
		all = append(all, rendezvous.Member{Host: other.name, Slots: other.slots})
	}
	return all
}
func (m *standInHost) Memory() int64 { return 0 }

func (m *standInHost) Begin() {
	m.job.mu.Lock()
	defer m.job.mu.Unlock()
	m.job.begun[m.name] = true
}

func (m *standInHost) HasBegun() bool {
	m.job.mu.Lock()
	defer m.job.mu.Unlock()
	return len(m.job.begun) > 0
}

func (m *standInHost) NotBegun() (hosts []string) {
	m.job.mu.Lock()
	defer m.job.mu.Unlock()
	for _, other := range m.job.hosts {
		if !m.job.begun[other.name] {
			hosts = append(hosts, other.name)
		}
	}
	return hosts
}

// Stopped stops all hosts. In the real rendezvous each host then sends SIGTERM to itself.
func (m *standInHost) Stopped() {
	m.job.mu.Lock()
	again := m.job.stopped
	m.job.stopped = true
	m.job.mu.Unlock()
	if again {
		return
	}
	for _, other := range m.job.hosts {
		other.asked <- nil
	}
}

func (m *standInHost) Quiet() {
	m.job.mu.Lock()
	m.job.quiet[m.name] = true
	all := len(m.job.quiet) == len(m.job.hosts)
	m.job.mu.Unlock()
	if all {
		for _, other := range m.job.hosts {
			other.host.Announce().OnQuiet()
		}
	}
}

// Fault ends all hosts because of the first failure.
func (m *standInHost) Fault(host string, e rendezvous.End) {
	m.job.mu.Lock()
	defer m.job.mu.Unlock()
	if m.job.first != nil {
		return
	}
	m.job.first = &rendezvous.PeerError{Host: host, Code: e.Code, Text: e.Text}
	for _, other := range m.job.hosts {
		other.cancel(m.job.first)
	}
}

func (m *standInHost) Explain([]string, string) {}

// End tells the workers how the leader's launcher has ended.
func (m *standInHost) End(err error, _ bool) {
	over := &rendezvous.OverError{}
	if err != nil {
		over.Code = 1
	}
	for _, other := range m.job.hosts[1:] {
		other.cancel(over)
	}
}

func (m *standInHost) Listen(context.Context) (net.Listener, error) {
	return nil, errors.New("no network")
}
func (m *standInHost) Homes(context.Context) []netip.Addr { return nil }

// connect, exec and close make the leader an agent. Its daemons start a rank on their host.
func (m *standInHost) connect([]rendezvous.Member) error { return nil }
func (m *standInHost) close()                            {}

func (m *standInHost) exec(host string, _ []string, _ [3]*os.File) (int, error) {
	for _, other := range m.job.hosts {
		if other.name == host {
			return other.startRank(), nil
		}
	}
	return remote.CodeSSHError, errors.New("no such host")
}

// startRank is a daemon of the launcher. It starts the host's rank and ends with the rank's exit code.
func (m *standInHost) startRank() int {
	if m.stuck {
		<-m.kill.Done()
		return codeKilled
	}
	r := m.ranks[0]
	m.host.rankBegan(r)
	<-r.done
	return r.end.Code
}

// supervise stands for proc.Run. On the leader it runs the launcher; on a worker it only waits for the
// daemons.
func (m *standInHost) supervise(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error) {
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

// launcher starts a daemon on each host. It ends with the exit code of the first rank that does not end with
// 0, and with 1 at SIGTERM.
func (m *standInHost) launcher(ctx context.Context) int {
	codes := make(chan int, len(m.job.hosts))
	for _, other := range m.job.hosts {
		go func() {
			if other == m {
				codes <- m.startRank()
				return
			}
			code, _ := m.host.runDaemon(ctx, other.name, nil, [3]*os.File{})
			codes <- code
		}()
	}
	for range m.job.hosts {
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
