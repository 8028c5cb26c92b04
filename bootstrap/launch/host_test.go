package launch

import (
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/report"
)

// scenario runs a leader and two workers while something happens to them. check gets the error of each host
// and the duration of the job.
func scenario(
	t *testing.T, happens func(j *standInJob), check func(j *standInJob, errs []error, took time.Duration),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := newStandInJob(t, "algo-1", "algo-2", "algo-3")
		start := time.Now()
		go happens(j)
		errs := j.run()
		check(j, errs, time.Since(start))
		for _, m := range j.hosts {
			m.cancel(nil)
			m.ranks[0].exit(0)
		}
		synctest.Wait()
	})
}

// TestJobSucceedsWhenAllRanksDo: if all ranks end with 0, all hosts do, and no rank gets SIGTERM.
func TestJobSucceedsWhenAllRanksDo(t *testing.T) {
	scenario(t, func(j *standInJob) {
		time.Sleep(time.Minute)
		for _, m := range j.hosts {
			m.ranks[0].exit(0)
		}
	}, func(j *standInJob, errs []error, _ time.Duration) {
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s: %v", j.hosts[i].name, err)
			}
		}
		for _, m := range j.hosts {
			if m.ranks[0].stops != 0 {
				t.Errorf("the rank of %s got SIGTERM", m.name)
			}
		}
	})
}

// TestFailedRankEndsJobOnAllHosts: all hosts name the rank that failed, and the other ranks get SIGTERM once.
func TestFailedRankEndsJobOnAllHosts(t *testing.T) {
	scenario(t, func(j *standInJob) {
		time.Sleep(time.Minute)
		j.hosts[2].ranks[0].exit(3)
	}, func(j *standInJob, errs []error, took time.Duration) {
		for i, err := range errs {
			if err == nil || err.Error() != "algo-3: rank 2: exit code" || report.ExitCode(err) != 3 {
				t.Errorf("%s: %v", j.hosts[i].name, err)
			}
		}
		for _, m := range j.hosts[:2] {
			if m.ranks[0].stops != 1 || !m.ranks[0].left.Load() {
				t.Errorf("the rank of %s got SIGTERM %d times, and may leave: %v",
					m.name, m.ranks[0].stops, m.ranks[0].left.Load())
			}
		}
		if took > time.Minute+10*time.Second {
			t.Errorf("the job took %s", took)
		}
	})
}

// TestStoppedRanksStayUntilAllHaveSaved: a SIGTERM to one host stops every rank once. The job then ends with
// the launcher's exit code.
func TestStoppedRanksStayUntilAllHaveSaved(t *testing.T) {
	scenario(t, func(j *standInJob) {
		j.hosts[1].ranks[0].saves = 40 * time.Second
		time.Sleep(time.Minute)
		j.hosts[2].asked <- nil
	}, func(j *standInJob, errs []error, took time.Duration) {
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s: %v", j.hosts[i].name, err)
			}
		}
		for _, m := range j.hosts {
			if m.ranks[0].stops != 1 {
				t.Errorf("the rank of %s got SIGTERM %d times", m.name, m.ranks[0].stops)
			}
		}
		if took < time.Minute+40*time.Second {
			t.Errorf("the job took %s: a rank lost its checkpoint", took)
		}
	})
}

// TestRanksAreKilledAtTheEndOfTheGrace: then no host ends with 0.
func TestRanksAreKilledAtTheEndOfTheGrace(t *testing.T) {
	scenario(t, func(j *standInJob) {
		for _, m := range j.hosts {
			m.ranks[0].saves = time.Hour
		}
		time.Sleep(time.Minute)
		j.hosts[0].asked <- nil
	}, func(j *standInJob, errs []error, took time.Duration) {
		for i, err := range errs {
			if report.ExitCode(err) == 0 {
				t.Errorf("%s ended with 0", j.hosts[i].name)
			}
		}
		if took > 2*time.Minute+10*time.Second {
			t.Errorf("the job took %s", took)
		}
	})
}

// TestLauncherThatAbandonsRanksFailsJob: a launcher that ends with 0 while ranks are at work has not done its
// work.
func TestLauncherThatAbandonsRanksFailsJob(t *testing.T) {
	scenario(t, func(j *standInJob) {
		time.Sleep(time.Minute)
		j.hosts[0].ranks[0].exit(0)
		j.hosts[1].ranks[0].exit(0)
		j.hosts[2].setKill() // its daemon and its rank are killed
		j.hosts[2].ranks[0].exit(137)
	}, func(j *standInJob, errs []error, _ time.Duration) {
		for i, err := range errs {
			if report.ExitCode(err) == 0 {
				t.Errorf("%s ended with 0", j.hosts[i].name)
			}
		}
	})
}
