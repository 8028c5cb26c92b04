package launch

import (
	"net/netip"
	"sync/atomic"
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
		ended := make(chan struct{})
		time.AfterFunc(3500*time.Millisecond, func() { close(ended) })
		daemon := mpi.Daemon{Argv: []string{"hydra_pmi_proxy", "--control-port", "10.77.0.1:33229"}}
		m.host.watchPort(daemon, ended)
		if looks.Load() != 3 {
			t.Errorf("%d looks in 3.5 s, expected 3", looks.Load())
		}
	})
}
