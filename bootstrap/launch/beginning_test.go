package launch

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"

	"github.com/rs/zerolog"
)

const testLaunchTimeout = 2 * time.Minute

// runLate runs a job of three hosts with a --launch-timeout. The ranks end with 0 after ten minutes. It
// returns the error of each host, how long the job took, and what the leader has logged.
func runLate(t *testing.T, change func(j *standInJob)) (errs []error, took time.Duration, log string) {
	t.Helper()
	var text bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		j := newStandInJob(t, "algo-1", "algo-2", "algo-3")
		for _, m := range j.hosts {
			m.host.launch.Timeout = testLaunchTimeout
		}
		j.hosts[0].host.log = events.Log{Logger: zerolog.New(zerolog.SyncWriter(&text))}
		change(j)
		end := time.AfterFunc(10*time.Minute, func() {
			for _, m := range j.hosts {
				m.setKill()
				m.ranks[0].exit(0)
			}
		})
		defer end.Stop()
		start := time.Now()
		errs = j.run()
		took = time.Since(start)
		for _, m := range j.hosts {
			m.cancel(nil)
			m.ranks[0].exit(0)
		}
		time.Sleep(time.Second) // a stand-in for a launcher takes a moment to end
		synctest.Wait()
	})
	return errs, took, text.String()
}

// TestLaunchThatTakesTooLongFails: all hosts name the host whose ranks have not begun, and the leader's log
// names it before that.
func TestLaunchThatTakesTooLongFails(t *testing.T) {
	const within = " within the --launch-timeout of 2m0s"
	for _, c := range []struct {
		what   string
		change func(j *standInJob)
		want   string
		logged string // in the leader's log, before the time
	}{
		{
			"a worker's rank does not begin", func(j *standInJob) { j.hosts[2].stuck = true },
			"algo-3: no rank has begun there" + within, "no rank has begun on algo-3 yet",
		},
		{
			"the ranks of both workers do not begin",
			func(j *standInJob) { j.hosts[1].stuck, j.hosts[2].stuck = true, true },
			"algo-2: no rank has begun there" + within + ", nor on algo-3",
			"no rank has begun on algo-2, algo-3 yet",
		},
		{
			"no rank begins", func(j *standInJob) {
				for _, m := range j.hosts {
					m.stuck = true
				}
			},
			"algo-1: no rank has begun on any host" + within, "no rank has begun on any host yet",
		},
		{
			"the leader starts fewer ranks than it has slots", func(j *standInJob) { j.hosts[0].slots = 2 },
			"algo-1: only 1 of 2 ranks have begun there" + within,
			"only 1 of the 2 ranks of algo-1 have begun",
		},
		{
			"a worker starts fewer ranks than it has slots", func(j *standInJob) { j.hosts[1].slots = 2 },
			"algo-2: only 1 of 2 ranks have begun there" + within, "",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			errs, took, log := runLate(t, c.change)
			for i, err := range errs {
				if err == nil || err.Error() != c.want || report.ExitCode(err) != 69 {
					t.Errorf("algo-%d: %v, expected %s", i+1, err, c.want)
				}
			}
			if took < testLaunchTimeout || took > testLaunchTimeout+24*time.Second {
				t.Errorf("the job took %s", took)
			}
			for _, after := range []string{"5s", "10s", "20s", "40s", "1m20s"} {
				if c.logged != "" && !strings.Contains(log, c.logged+", after "+after) {
					t.Errorf("the log does not say %q after %s: %s", c.logged, after, log)
				}
			}
		})
	}
}

// TestLaunchWhoseRanksHaveBegunGoesOn: so does one where the user's options decide which host has ranks, as
// long as one rank has begun somewhere, and one without a --launch-timeout.
func TestLaunchWhoseRanksHaveBegunGoesOn(t *testing.T) {
	for what, change := range map[string]func(j *standInJob){
		"all ranks have begun": func(*standInJob) {},
		"the user's options place the ranks": func(j *standInJob) {
			j.hosts[2].stuck = true
			for _, m := range j.hosts {
				m.host.launch.Options = []string{"--map-by", "node"}
			}
		},
		"no bound": func(j *standInJob) {
			j.hosts[2].stuck = true
			for _, m := range j.hosts {
				m.host.launch.Timeout = 0
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			_, took, log := runLate(t, change)
			if took < 10*time.Minute || strings.Contains(log, "begun on") {
				t.Errorf("the job took %s, and the log says %s", took, log)
			}
		})
	}
}

// TestLauncherThatFailsEarlyNamesHostWithoutRanks: ranks of other hosts have begun, and the launcher has
// ended them. Where another cause is known, or no rank has begun anywhere, nothing is said.
func TestLauncherThatFailsEarlyNamesHostWithoutRanks(t *testing.T) {
	for what, c := range map[string]struct {
		code   int
		before func(leader *Host)
		want   string
	}{
		"a host without ranks":   {2, func(*Host) {}, "algo-2: the launcher ended before a rank had begun there"},
		"the launcher ends well": {0, func(*Host) {}, ""},
		"a daemon has failed": {2, func(leader *Host) {
			leader.keepDaemonFailure("algo-2", rendezvous.End{Code: 5}, false)
		}, ""},
		"a stop":   {2, func(leader *Host) { leader.on(stopAsked, nil) }, ""},
		"a script": {2, func(leader *Host) { leader.launch.Script = true }, ""},
		"the user's options place the ranks": {2, func(leader *Host) {
			leader.launch.Options = []string{"-npernode", "1"}
		}, ""},
	} {
		j := newStandInJob(t, "algo-1", "algo-2")
		leader := j.hosts[0].host
		leader.on(hostsReleased, nil)
		leader.on(rankBegan, j.hosts[0].ranks[0])
		c.before(leader)
		leader.tellAbsent(leader.launch.Launch, proc.Exit{Code: c.code})
		if first := j.first; first == nil && c.want != "" || first != nil && first.Error() != c.want {
			t.Errorf("%s: the hosts hear of %v, expected %q", what, first, c.want)
		}
	}
}

// TestRankThatLauncherEndsFollows: its SIGTERM comes because of another failure, unless the launch was
// stopped.
func TestRankThatLauncherEndsFollows(t *testing.T) {
	signals := map[syscall.Signal]bool{syscall.SIGTERM: true, syscall.SIGSEGV: false, 0: false}
	for signal, follows := range signals {
		for _, stopped := range []bool{false, true} {
			m := newStandInJob(t, "algo-1", "algo-2").hosts[1]
			m.host.on(hostsReleased, nil)
			if stopped {
				m.host.on(stopAsked, nil)
			}
			m.ranks[0].end = remote.RankEnd{Code: 9, Signal: int(signal), Told: true}
			if e, _ := m.host.outcomeOf(m.ranks[0]); e.Follows != (follows && !stopped) {
				t.Errorf("signal %d, stopped %v: Follows is %v", signal, stopped, e.Follows)
			}
		}
	}
}

// TestOnlyFirstHostsAreListed: a message does not grow with the number of hosts.
func TestOnlyFirstHostsAreListed(t *testing.T) {
	var hosts []string
	for i := range 12 {
		hosts = append(hosts, fmt.Sprintf("h%d", i))
	}
	if got := listHosts(hosts); got != "h0, h1, h2, h3, h4, h5, h6, h7, h8, h9 and 2 others" {
		t.Error(got)
	}
	if got := listHosts(hosts[:2]); got != "h0, h1" {
		t.Error(got)
	}
}
