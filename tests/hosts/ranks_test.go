package hosts

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rankArgs returns the arguments of entrain for a training with two ranks on each host. DDP says what they
// do: see ddp.
func rankArgs(does, steps string) []string {
	return []string{
		"DDP=" + does, "run", "--launcher", "ranks", "--slots", "2", "--args-style", "none", "--peer-timeout", "6s",
		"--", "/opt/bin/ddp", steps,
	}
}

// waitForRanks waits until a number of ranks has printed "training", on all hosts together.
func (l *lab) waitForRanks(n int) {
	l.t.Helper()
	err := eventually("all ranks train", func() bool {
		said := 0
		for _, h := range l.hosts {
			said += strings.Count(h.job.said.String(), "training")
		}
		return said == n
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// TestTheSameTrainingUnderMPI plays some of the same scenarios with one rank on each host, as an MPI launcher
// starts them: the ends are the same.
func TestTheSameTrainingUnderMPI(t *testing.T) {
	args := func(does, steps string) []string {
		return append([]string{"DDP=" + does}, launchArgs(standIn, "/opt/bin/ddp", steps)...)
	}
	for _, s := range []scenario{
		{name: "all ranks finish", n: 2, words: args("", "5"), codes: []int{0, 0}},
		{
			name: "a rank exits with 3", n: 2, words: args("1:exit", "1000"), codes: []int{3, 3},
			failure: "(algo-2: )?rank 1: exit code 3: error: no such file: labels.csv",
		},
		{
			name: "a stop saves, and the workers of the ranks live", n: 2, words: args("*:save 1s", "1000"),
			before: true, act: func(l *lab) { l.waitForRanks(2); l.hosts[1].job.signal(syscall.SIGTERM) },
			codes: []int{0, 0},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestAllStartAgain plays --max-restarts: the trainers of all hosts start again together, as the same ranks.
func TestAllStartAgain(t *testing.T) {
	args := func(times, script string, flags ...string) []string {
		words := []string{"run", "--max-restarts", times, "--args-style", "none", "--peer-timeout", "6s"}
		return append(append(words, flags...), "--", "sh", "-c", script)
	}
	ranks := []string{"--launcher", "ranks", "--slots", "2"}
	const heals = `echo $ENTRAIN_RESTART_COUNT >>/opt/ml/model/rank-$RANK
test $TORCHELASTIC_RESTART_COUNT = 0 || exec /opt/bin/ddp 20
DDP=3:raise exec /opt/bin/ddp 1000`
	const never = `DDP=1:exit exec /opt/bin/ddp 1000`
	const alone = `test $ENTRAIN_RESTART_COUNT = 2 && exit 0
test $SM_CURRENT_HOST = algo-2 && exit 7; sleep 0.2`
	const quick = `test $SM_CURRENT_HOST = algo-2 || exec sleep 60
echo "train.py: error: unknown --lr" >&2; exit 2`
	for _, s := range []scenario{
		{name: "one restart heals", n: 2, words: args("1", heals, ranks...), codes: []int{0, 0}},
		{
			name: "one restart does not heal", n: 2, words: args("1", never, ranks...), codes: []int{3, 3},
			failure: "algo-1: rank 1: exit code 3: error: no such file: labels.csv",
		},
		{name: "trainers without a launcher", n: 3, words: args("2", alone), codes: []int{0, 0, 0}},
		{
			name: "a program that does not understand its arguments", n: 2,
			words: args("3", quick), codes: []int{2, 2},
			failure: "algo-2: exit code 2", failed: map[int]string{1: "train.py: error"}, within: 5 * time.Second,
		},
		{
			name: "a lost host", n: 2, words: args("3", "DDP= exec /opt/bin/ddp 1000", ranks...), before: true,
			act:   func(l *lab) { l.waitForRanks(4); l.hosts[1].job.signal(syscall.SIGKILL) },
			codes: []int{69, killedHost}, failure: "algo-2: lost: ", failed: map[int]string{1: ""},
		},
		{
			name: "a stop", n: 2, words: args("3", "DDP= exec /opt/bin/ddp 1000", ranks...), before: true,
			act:   func(l *lab) { l.waitForRanks(4); l.hosts[1].job.signal(syscall.SIGTERM) },
			codes: []int{143, 143}, failure: "stopped",
		},
		{
			name: "a launcher", n: 2,
			words: withFlags(launchArgs(standIn, "sh", "-c", `test $ENTRAIN_RESTART_COUNT = 1 && exit 0
test $RANK = 1 && exit 3; sleep 60`), "--max-restarts", "1"), codes: []int{0, 0},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// withFlags adds flags to the arguments of run.
func withFlags(args []string, flags ...string) []string {
	i := slices.Index(args, "--")
	return slices.Concat(args[:i], flags, args[i:])
}

// TestTheLeadersEndIsTheEnd plays --until leader: the other hosts serve until the leader's work has ended.
func TestTheLeadersEndIsTheEnd(t *testing.T) {
	args := func(leader, worker string, flags ...string) []string {
		script := `case $ENTRAIN_LEADER in 1) ` + leader + `;; *) ` + worker + `;; esac`
		words := []string{"run", "--until", "leader", "--args-style", "none", "--peer-timeout", "6s"}
		return append(append(words, flags...), "--", "sh", "-c", script)
	}
	const works, serves = "sleep 0.3", "exec sleep 600"
	for _, s := range []scenario{
		{name: "servers end", n: 3, words: args(works, serves), codes: []int{0, 0, 0}, within: 5 * time.Second},
		{
			name: "ranks end", n: 2, words: args(works, serves, "--launcher", "ranks", "--slots", "2"),
			codes: []int{0, 0}, within: 5 * time.Second,
		},
		{
			name: "a server that loses the leader fails at the same moment", n: 2,
			words: args("/opt/bin/ddp 3", "/opt/bin/ddp 1000; exit 7", "--launcher", "ranks", "--slots", "1"),
			codes: []int{0, 0}, within: 5 * time.Second,
		},
		{
			name: "a server outlives the grace", n: 2, words: args(works, `trap "" TERM; while :; do sleep 0.1; done`,
				"--grace", "1s"), codes: []int{0, 0}, within: 8 * time.Second,
		},
		{
			name: "a server fails", n: 3, words: args(serves, `test $SM_CURRENT_HOST = algo-2 && exit 4; `+serves),
			codes: []int{4, 4, 4}, failure: "algo-2: exit code 4", failed: map[int]string{1: "sh: exit code 4"},
		},
		{
			name: "the leader fails", n: 2, words: args("exit 5", serves), codes: []int{5, 5},
			failure: "algo-1: exit code 5", failed: map[int]string{0: "sh: exit code 5"},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestRanksOnHostsEndTogether plays what may happen to the ranks that entrain itself starts.
func TestRanksOnHostsEndTogether(t *testing.T) {
	training := func(n int, act func(*lab)) func(*lab) {
		return func(l *lab) {
			l.waitForRanks(n)
			act(l)
		}
	}
	const place = `test $WORLD_SIZE = 3 || exit 9
case $RANK-$LOCAL_RANK-$LOCAL_WORLD_SIZE in $WANT) exec /opt/bin/ddp 5;; *) exit 8;; esac`
	const steps = "1000" // more than there is time for
	for _, s := range []scenario{
		{name: "all ranks finish", n: 2, words: rankArgs("", "5"), codes: []int{0, 0}},
		{
			name: "an exception, and the others end before it", n: 2, words: rankArgs("3:raise", steps),
			codes: []int{1, 1}, failure: "algo-2: rank 3: exit code 1: RuntimeError: boom", within: 10 * time.Second,
		},
		{
			name: "a rank exits with 3", n: 2, words: rankArgs("3:exit", steps), codes: []int{3, 3},
			failure: "algo-2: rank 3: exit code 3: error: no such file: labels.csv", within: 5 * time.Second,
		},
		{
			name: "a rank has a segmentation fault", n: 2, words: rankArgs("0:segv", steps), codes: []int{139, 139},
			failure: "algo-1: rank 0: killed by SIGSEGV", within: 5 * time.Second,
		},
		{
			name: "a rank is killed", n: 2, words: rankArgs("2:kill", steps), codes: []int{137, 137},
			failure: "algo-2: rank 2: killed by SIGKILL", within: 5 * time.Second,
		},
		{
			name: "a host is killed", n: 3, words: rankArgs("", steps),
			before: true, act: training(6, sendSignal(2, syscall.SIGKILL)), codes: []int{69, 69, killedHost},
			failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "the leader is killed", n: 2, words: rankArgs("", steps),
			before: true, act: training(4, sendSignal(0, syscall.SIGKILL)), codes: []int{killedHost, 69},
			failure: "algo-1: lost: ", failed: map[int]string{0: ""},
		},
		{
			name: "a stop saves, and the workers of the ranks live", n: 2, words: rankArgs("*:save 3s", steps),
			before: true, act: training(4, sendSignal(1, syscall.SIGTERM)), codes: []int{0, 0},
		},
		{
			name: "a stop of ranks that do not save", n: 2, words: rankArgs("", steps),
			before: true, act: training(4, sendSignal(0, syscall.SIGTERM)), codes: []int{143, 143},
			failure: "stopped(, since algo-1 was sent| by) SIGTERM", within: 5 * time.Second,
		},
		{
			name: "the hostname leads to another interface", n: 2, words: rankArgs("", "5"), codes: []int{0, 0},
			prepare: lookLikeTheExampleOfThePlatform,
		},
		{
			name: "hosts with one and two slots", n: 2,
			words: []string{"run", "--launcher", "ranks", "--args-style", "none", "--", "sh", "-c", place},
			special: map[int][]string{
				0: {"ENTRAIN_SLOTS=1", "WANT=0-0-1"}, 1: {"ENTRAIN_SLOTS=2", "WANT=[12]-[01]-2"},
			},
			codes: []int{0, 0},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
