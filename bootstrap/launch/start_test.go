package launch

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/plan"
	"entrain/mpi/remote"
	"entrain/proc"
)

// TestDaemonThatDoesNotStartIsToldByItsHost: the worker tells all hosts why, since its leader hears only an
// exit code.
func TestDaemonThatDoesNotStartIsToldByItsHost(t *testing.T) {
	for what, c := range map[string]struct {
		change func(m *standInHost)
		want   string
	}{
		"a worker":        {func(*standInHost) {}, "algo-2: no more processes"},
		"a script":        {func(m *standInHost) { m.host.launch.Script = true }, ""},
		"a job that ends": {func(m *standInHost) { m.host.on(jobFailed, nil) }, ""},
	} {
		j := newStandInJob(t, "algo-1", "algo-2")
		m := j.hosts[1]
		m.host.effects.Start = func(proc.Cmd, [3]*os.File, func(int)) (func(), error) {
			return nil, errors.New("no more processes")
		}
		m.host.on(hostsReleased, nil)
		c.change(m)
		_, err := m.host.startDaemon([]string{"orted"}, [3]*os.File{}, func(int) {})
		if err == nil {
			t.Errorf("%s: no error", what)
		}
		if first := j.first; first == nil && c.want != "" || first != nil && first.Error() != c.want {
			t.Errorf("%s: the hosts hear of %v, expected %q", what, first, c.want)
		}
	}
}

// TestRshThatDiesBeforeAnyRankFailsLaunch: where the launcher goes on, it waits for ever for the daemon.
func TestRshThatDiesBeforeAnyRankFailsLaunch(t *testing.T) {
	const killed = "algo-2: the process that had started the launcher's daemon there was killed"
	for what, c := range map[string]struct {
		launcherEnds bool
		want         string
	}{
		"the launcher goes on":  {false, killed},
		"the launcher gives up": {true, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			j := newStandInJob(t, "algo-1", "algo-2")
			leader := j.hosts[0].host
			leader.on(hostsReleased, nil)
			if c.launcherEnds {
				time.AfterFunc(time.Second, leader.setOver)
			}
			leader.rshGone("algo-2", nil)
			if first := j.first; first == nil && c.want != "" || first != nil && first.Error() != c.want {
				t.Errorf("%s: the hosts hear of %v, expected %q", what, first, c.want)
			}
		})
	}
}

// TestRankThatCannotStartIsHeardOf: the run hears of a wrapper that fails before it starts the trainer. The
// text holds no secret.
func TestRankThatCannotStartIsHeardOf(t *testing.T) {
	dir := t.TempDir()
	ended := make(chan remote.RankEnd, 1)
	local, err := remote.Listen(dir, remote.Handlers{
		Remote: func(context.Context, string, []string, [3]*os.File) (int, error) { return 0, nil },
		Joined: func(r *remote.RankConn) {
			go func() {
				<-r.Done()
				end, _ := r.End()
				ended <- end
			}()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if err := os.WriteFile(dir+"/"+plan.FileEnvironment, []byte("A=1\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_LOCAL_RANK=0",
		"OMPI_COMM_WORLD_LOCAL_SIZE=1", "PASSWORD=swordfish-4711",
	}
	dead := RunRank([]string{dir, "--", "train", "${SM_NO_SUCH}", "swordfish-4711"}, env)
	if dead == nil {
		t.Fatal("an unknown variable is no error")
	}
	end := <-ended
	if end.Code == 0 || !strings.Contains(end.Text, "SM_NO_SUCH") || strings.Contains(end.Text, "swordfish") {
		t.Errorf("the run hears of %+v, expected %v", end, dead)
	}
}
