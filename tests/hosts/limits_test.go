package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// skipLimit skips a test on a machine without control groups for processes. In CI the test fails instead.
func skipLimit(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("REQUIRE_DOCKER") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// limitProcesses makes a control group for a host that holds at most so many processes and threads. It skips
// the test where the machine has none.
func (h *host) limitProcesses(most int) {
	h.lab.t.Helper()
	parent := "/sys/fs/cgroup/pids"
	if _, err := os.Stat(parent); err != nil {
		parent = "/sys/fs/cgroup"
	}
	group, err := os.MkdirTemp(parent, "entrain-hosts-")
	if err != nil {
		skipLimit(h.lab.t, err)
	}
	h.lab.t.Cleanup(func() {
		_ = eventually("the processes of the group end", func() bool { return os.Remove(group) == nil })
	})
	if err := os.WriteFile(filepath.Join(group, "pids.max"), []byte(strconv.Itoa(most)), 0o644); err != nil {
		skipLimit(h.lab.t, err)
	}
	h.limit = fmt.Sprintf("echo $$ >%s/cgroup.procs", group)
}

// TestHostWithoutResourcesFailsTheLaunch: a host that has too few processes or open files for its ranks ends
// the job, whatever dies for lack of them before it can say so: a rank's wrapper, a daemon, or what has
// started it. The other host names the host.
func TestHostWithoutResourcesFailsTheLaunch(t *testing.T) {
	manyRanks := []string{"ENTRAIN_SLOTS=20"}
	const anything = "(?s:.*)" // entrain itself may die for lack of processes
	for _, s := range []scenario{
		{
			name: "a worker has 12 processes, MPICH", words: launchArgs("mpirun.mpich", "sleep", "0.3"),
			prepare: func(l *lab) { l.hosts[1].limitProcesses(12) }, failure: "algo-2: ",
			failed: map[int]string{1: anything},
		},
		{
			name: "the leader has 14 processes, MPICH", words: launchArgs("mpirun.mpich", "sleep", "0.3"),
			prepare: func(l *lab) { l.hosts[0].limitProcesses(14) }, failure: "algo-1: ",
			failed: map[int]string{0: anything},
		},
		{
			name:    "a worker has 30 open files for 20 ranks, Open MPI",
			words:   append(manyRanks, launchArgs("mpirun.openmpi", "sleep", "0.3")...),
			prepare: func(l *lab) { l.hosts[1].limit = "ulimit -n 30" },
			failure: "algo-2: no rank has begun there within the --launch-timeout of 4s",
		},
		{
			name:    "the leader has 30 open files for 20 ranks, Open MPI",
			words:   append(manyRanks, launchArgs("mpirun.openmpi", "sleep", "0.3")...),
			prepare: func(l *lab) { l.hosts[0].limit = "ulimit -n 30" },
			failure: "(algo-1|mpirun.openmpi).* exit code [0-9]+|.*too many open files|.*system limit exceeded",
		},
	} {
		s.n, s.codes, s.words = 2, []int{anyFailure, anyFailure}, launchTimeout("4s", s.words)
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, s.words[slices.Index(s.words, "--mpirun")+1])
			s.run(t)
		})
	}
}
