package launch

import (
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/report"
)

// scenario runs a leader and two workers while something happens to them.
func scenario(t *testing.T, happens func(c *cluster), check func(c *cluster, errs []error, took time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "algo-1", "algo-2", "algo-3")
		start := time.Now()
		go happens(c)
		errs := c.run()
		check(c, errs, time.Since(start))
		for _, m := range c.hosts {
			m.cancel(nil)
			m.ranks[0].exit(0)
		}
		synctest.Wait()
	})
}

// TestAllEndWell: ranks that end with 0 make a job that ends with 0 on all hosts.
func TestAllEndWell(t *testing.T) {
	scenario(t, func(c *cluster) {
		time.Sleep(time.Minute)
		for _, m := range c.hosts {
			m.ranks[0].exit(0)
		}
	}, func(c *cluster, errs []error, _ time.Duration) {
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s: %v", c.hosts[i].name, err)
			}
		}
		for _, m := range c.hosts {
			if m.ranks[0].stops != 0 {
				t.Errorf("the rank of %s got SIGTERM", m.name)
			}
		}
	})
}

// TestRankFails: a rank that fails on a worker ends the job on all hosts, named, and the others get SIGTERM once.
func TestRankFails(t *testing.T) {
	scenario(t, func(c *cluster) {
		time.Sleep(time.Minute)
		c.hosts[2].ranks[0].exit(3)
	}, func(c *cluster, errs []error, took time.Duration) {
		for i, err := range errs {
			if err == nil || err.Error() != "algo-3: rank 2: exit code" || report.ExitCode(err) != 3 {
				t.Errorf("%s: %v", c.hosts[i].name, err)
			}
		}
		for _, m := range c.hosts[:2] {
			if m.ranks[0].stops != 1 || !m.ranks[0].left {
				t.Errorf("the rank of %s got SIGTERM %d times, and may leave: %v", m.name, m.ranks[0].stops, m.ranks[0].left)
			}
		}
		if took > time.Minute+10*time.Second {
			t.Errorf("the job took %s", took)
		}
	})
}

// TestStop: a SIGTERM to one host stops all ranks, once each. They stay until the last one has saved, and the job ends as
// the launcher says.
func TestStop(t *testing.T) {
	scenario(t, func(c *cluster) {
		c.hosts[1].ranks[0].saves = 40 * time.Second
		time.Sleep(time.Minute)
		c.hosts[2].asked <- nil
	}, func(c *cluster, errs []error, took time.Duration) {
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s: %v", c.hosts[i].name, err)
			}
		}
		for _, m := range c.hosts {
			if m.ranks[0].stops != 1 {
				t.Errorf("the rank of %s got SIGTERM %d times", m.name, m.ranks[0].stops)
			}
		}
		if took < time.Minute+40*time.Second {
			t.Errorf("the job took %s: a rank lost its checkpoint", took)
		}
	})
}

// TestGraceEnds: ranks that do not end within the grace are killed, and every host says so or ends with the leader.
func TestGraceEnds(t *testing.T) {
	scenario(t, func(c *cluster) {
		for _, m := range c.hosts {
			m.ranks[0].saves = time.Hour
		}
		time.Sleep(time.Minute)
		c.hosts[0].asked <- nil
	}, func(c *cluster, errs []error, took time.Duration) {
		for i, err := range errs {
			if report.ExitCode(err) == 0 {
				t.Errorf("%s ended with 0", c.hosts[i].name)
			}
		}
		if took > 2*time.Minute+10*time.Second {
			t.Errorf("the job took %s", took)
		}
	})
}

// TestLauncherAbandonsRanks: a launcher that ends with 0 while ranks are at work has not done its work.
func TestLauncherAbandonsRanks(t *testing.T) {
	scenario(t, func(c *cluster) {
		time.Sleep(time.Minute)
		c.hosts[0].ranks[0].exit(0)
		c.hosts[1].ranks[0].exit(0)
		c.hosts[2].setKill() // its daemon is gone, and so is its rank
		c.hosts[2].ranks[0].exit(137)
	}, func(c *cluster, errs []error, _ time.Duration) {
		for i, err := range errs {
			if report.ExitCode(err) == 0 {
				t.Errorf("%s ended with 0", c.hosts[i].name)
			}
		}
	})
}
