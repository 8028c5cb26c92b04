package launch

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// standInJob is a leader and its workers in one process. Each host is a real Host. The launcher, its agents,
// the ranks and the rendezvous are stand-ins.
type standInJob struct {
	t       *testing.T
	mu      sync.Mutex
	begun   map[string]bool // the hosts on which a rank has begun
	stopped bool
	quiet   map[string]bool
	first   *rendezvous.PeerError // the first failure that a host has told
	hosts   []*standInHost
}

// newStandInJob makes hosts that have one rank each, which saves for a second when it is stopped.
func newStandInJob(t *testing.T, names ...string) *standInJob {
	t.Helper()
	j := &standInJob{t: t, begun: map[string]bool{}, quiet: map[string]bool{}}
	var hosts []mpi.Host
	for _, name := range names {
		hosts = append(hosts, mpi.Host{Name: name, Slots: 1})
	}
	for i, name := range names {
		m := &standInHost{job: j, name: name, asked: make(chan error, 8), slots: 1}
		m.ctx, m.cancel = context.WithCancelCause(t.Context())
		m.term, m.setTerm = context.WithCancel(t.Context())
		m.kill, m.setKill = context.WithCancel(t.Context())
		m.ranks = []*standInRank{{number: i, saves: time.Second, done: make(chan struct{})}}
		p := &plan.Plan{
			Role:       plan.Worker,
			Command:    plan.Command{Argv: []string{"mpirun"}},
			End:        plan.End{Grace: time.Minute},
			Rendezvous: &plan.Rendezvous{PeerTimeout: 24 * time.Second},
			Launch:     &plan.Launch{Host: name, Dir: t.TempDir() + "/launch"},
		}
		p.Launch.Hosts = hosts
		p.Together = plan.Together{Hosts: hosts, Index: i, Slots: 1}
		p.Launch.Rank = []string{"/entrain"}
		p.Launch.Hostfile = p.Launch.Dir + "/hostfile"
		if i == 0 {
			p.Role = plan.Leader
		} else {
			p.Command.Argv = nil
		}
		m.host = newHost(p, events.Log{Logger: zerolog.Nop()}, m.effects())
		m.host.newAgent = func(context.Context) (agent, error) { return m, nil }
		m.host.rendezvous = m
		j.hosts = append(j.hosts, m)
	}
	return j
}

func (m *standInHost) effects() Effects {
	return Effects{
		Supervise: m.supervise,
		SetDeadline: func(term, kill time.Duration) {
			time.AfterFunc(term, m.setTerm)
			time.AfterFunc(kill, m.setKill)
		},
		OOMKills: func() int { return 0 },
		ReachOf: func([]netip.AddrPort) (remote.Reach, netip.AddrPort) {
			return remote.ReachUntried, netip.AddrPort{}
		},
		Serve: func(string, Calls) (io.Closer, error) { return io.NopCloser(nil), nil },
	}
}

// run runs all hosts to their end. It returns an error for each host: its own. The first failure that a host
// has told stands before a launcher's exit code, and in the place of no error, as peers.Leave does it.
func (j *standInJob) run() []error {
	errs := make([]error, len(j.hosts))
	var all sync.WaitGroup
	slots := map[string]int{}
	for _, m := range j.hosts {
		slots[m.name] = m.slots
		if err := m.host.Open(j.t.Context()); err != nil {
			j.t.Fatal(err)
		}
	}
	met := make([]*plan.Plan, len(j.hosts))
	for i, m := range j.hosts {
		var err error
		if met[i], err = m.host.plan.Meet(slots); err != nil {
			j.t.Fatal(err)
		}
	}
	for i, m := range j.hosts {
		all.Go(func() {
			_, errs[i] = m.host.Run(met[i])
			m.host.Close()
			exit, isExit := errors.AsType[*proc.ExitError](errs[i])
			switch {
			case j.first != nil && isExit:
				errs[i] = &report.LaunchError{First: j.first, Exit: exit}
			case j.first != nil && errs[i] == nil:
				errs[i] = j.first
			}
		})
	}
	all.Wait()
	return errs
}
