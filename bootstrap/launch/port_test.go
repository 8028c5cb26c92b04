package launch

import (
	"context"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"entrain/mpi"
	"entrain/mpi/remote"
)

// TestPortThatIsFilteredFailsLaunch: a worker whose daemon cannot reach the launcher tells it within
// --peer-timeout, which is 24 s. It tells nothing where the daemon has connected, has ended or does not try,
// where a rank has begun, and for a script.
func TestPortThatIsFilteredFailsLaunch(t *testing.T) {
	const closed = "algo-2: cannot reach port 33229 of algo-1 (10.77.0.1), where MPI listens: " +
		"the security group must admit all ports between the job's hosts"
	pending := func(time.Duration) remote.Reach { return remote.ReachPending }
	for _, c := range []struct {
		what   string
		words  []string // the daemon's arguments; nil for Hydra's
		reach  func(after time.Duration) remote.Reach
		change func(m *standInHost)
		want   string // empty for no failure
	}{
		{"nobody answers", nil, pending, func(*standInHost) {}, closed},
		{
			"nobody answers Open MPI",
			[]string{"orted", "-mca", "orte_hnp_uri", "1.0;tcp://10.77.0.1:33229"},
			pending, func(*standInHost) {}, closed,
		},
		{
			"the words name no address",
			[]string{"hydra_bstrap_proxy", "--proxy-id", "0"},
			pending,
			func(*standInHost) {}, "",
		},
		{
			"it connects late", nil, func(after time.Duration) remote.Reach {
				if after > 18*time.Second {
					return remote.ReachConnected
				}
				return remote.ReachPending
			}, func(*standInHost) {}, "",
		},
		{
			"it does not try", nil, func(time.Duration) remote.Reach { return remote.ReachUntried },
			func(*standInHost) {}, "",
		},
		{"a rank has begun", nil, pending, func(m *standInHost) { m.host.on(rankBegan, m.ranks[0]) }, ""},
		{"the launch has failed", nil, pending, func(m *standInHost) { m.host.on(jobFailed, nil) }, ""},
		{"a script", nil, pending, func(m *standInHost) { m.host.launch.Script = true }, ""},
		{
			"the leader", nil, pending, func(m *standInHost) { m.host.machine.leads = true }, "",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newStandInJob(t, "algo-1", "algo-2")
				m, start := j.hosts[1], time.Now()
				m.host.effects.ReachOf = func(addrs []netip.AddrPort) (remote.Reach, netip.AddrPort) {
					return c.reach(time.Since(start)), addrs[0]
				}
				m.host.on(hostsReleased, nil)
				c.change(m)
				if c.words == nil {
					c.words = []string{"hydra_pmi_proxy", "--control-port", "10.77.0.1:33229"}
				}
				m.host.watchPort(mpi.Daemon{Argv: c.words}, nil)
				got := ""
				if j.first != nil {
					got = j.first.Error()
				}
				if took := time.Since(start); got != c.want || took > 21*time.Second {
					t.Errorf("after %s: %q, expected %q", took, got, c.want)
				}
			})
		})
	}
}

// TestPortIsWatchedUntilDaemonEnds: the goroutine ends with the daemon.
func TestPortIsWatchedUntilDaemonEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newStandInJob(t, "algo-1", "algo-2").hosts[1]
		var looks atomic.Int32
		m.host.effects.ReachOf = func(addrs []netip.AddrPort) (remote.Reach, netip.AddrPort) {
			looks.Add(1)
			return remote.ReachPending, addrs[0]
		}
		ended := make(chan int, 1)
		time.AfterFunc(3500*time.Millisecond, func() { ended <- 0 })
		daemon := mpi.Daemon{Argv: []string{"hydra_pmi_proxy", "--control-port", "10.77.0.1:33229"}}
		m.host.watchPort(daemon, ended)
		if looks.Load() != 3 {
			t.Errorf("%d looks in 3.5 s, expected 3", looks.Load())
		}
	})
}

// TestDaemonThatWasRefusedIsExplained: a worker whose daemon fails looks whether the launcher's port refuses
// connections. It keeps a connection that stands, since Hydra ends when one is closed.
func TestDaemonThatWasRefusedIsExplained(t *testing.T) {
	refuse := func(context.Context, netip.AddrPort) (io.Closer, error) { return nil, syscall.ECONNREFUSED }
	silent := func(ctx context.Context, _ netip.AddrPort) (io.Closer, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for what, c := range map[string]struct {
		code int
		dial func(context.Context, netip.AddrPort) (io.Closer, error)
		want string
	}{
		"refused": {
			5, refuse,
			"algo-2: cannot reach port 33229 of algo-1 (10.77.0.1), where MPI listens: connection refused",
		},
		"a daemon that ends well":         {0, refuse, ""},
		"nobody answers in time":          {5, silent, ""},
		"the launcher takes a connection": {5, nil, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			j := newStandInJob(t, "algo-1", "algo-2")
			m, kept := j.hosts[1], &connection{}
			if m.host.effects.Dial = c.dial; c.dial == nil {
				m.host.effects.Dial = func(context.Context, netip.AddrPort) (io.Closer, error) { return kept, nil }
			}
			m.host.on(hostsReleased, nil)
			ended := make(chan int, 1)
			ended <- c.code
			m.host.watchPort(mpi.Daemon{Argv: []string{"hydra_pmi_proxy", "--control-port", "10.77.0.1:33229"}}, ended)
			synctest.Wait()
			if first := j.first; first == nil && c.want != "" || first != nil && first.Error() != c.want {
				t.Errorf("%s: the hosts hear of %v, expected %q", what, first, c.want)
			}
			if kept.closed {
				t.Errorf("%s: the connection is closed before the job's end", what)
			}
			m.host.Close()
			if kept.closed != (c.dial == nil) {
				t.Errorf("%s: at the end the connection is closed: %v", what, kept.closed)
			}
		})
	}
}

// connection is a connection that can be closed.
type connection struct{ closed bool }

func (c *connection) Close() error {
	c.closed = true
	return nil
}
