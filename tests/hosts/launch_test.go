package hosts

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const standIn = "/opt/bin/standin/mpirun"

// launchArgs returns the arguments of entrain for a job that a launcher starts. The variables in front of
// them hold a key of the cluster.
func launchArgs(mpirun string, words ...string) []string {
	key := "ENTRAIN_CLUSTER_KEY=" + strings.Repeat("ab", 32)
	env := []string{key}
	if mpirun == standIn {
		env = append(env, "PATH=/opt/bin/standin:/usr/bin:/bin") // it holds the stand-in for orted
	}
	env = append(env, "run", "--launcher", "mpi", "--mpirun", mpirun, "--args-style", "none",
		"--peer-timeout", "6s", "--grace", "6s", "--")
	return append(env, words...)
}

// withStandIn tells the stand-in on every host how to behave: see mpirun.
func withStandIn(how string, words []string) []string {
	return append([]string{"STANDIN=" + how}, words...)
}

// forever is the script of a trainer that does not end by itself.
const forever = "echo training; exec sleep 600"

// launchScenarios are the scenarios with the stand-in for a launcher.
func launchScenarios() []scenario {
	const foreign = "algo-1: foo is not a host of this job"
	const early = "stopped by SIGTERM before any rank had begun"
	const unfinished = "the launcher ended with exit code 0 while ranks were at work here"
	leave := func(l *lab) { l.hosts[0].write("ml/go", "") }
	const saves = `trap 'saving=1' TERM; echo training; while [ -z "$saving" ]; do sleep 0.05; done; sleep 1`
	const leaderEnds = `echo training; test $RANK = 0 || sleep 600`
	sh := func(script string) []string { return launchArgs(standIn, "sh", "-c", script) }
	stop := func(i int) func(*lab) {
		return func(l *lab) { l.hosts[i].job.signal(syscall.SIGTERM) }
	}
	return []scenario{
		{name: "two hosts finish", n: 2, words: launchArgs(standIn, "true"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: launchArgs(standIn, "true"), codes: []int{0, 0, 0}},
		{
			name: "mpirun does not know its own host", n: 2,
			words: withStandIn("knows no host", launchArgs(standIn, "true")), codes: []int{0, 0},
		},
		{
			name: "a rank exits with 3", n: 3, words: sh(`test $RANK = 2 && exit 3; sleep 60`), codes: []int{3, 3, 3},
			failure: "algo-3: rank 2: exit code 3", failed: map[int]string{2: "(algo-3: )?rank 2: exit code 3"},
		},
		{
			name: "a stop saves", n: 2, words: sh(saves),
			act: stop(1), codes: []int{0, 0},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: sendSignal(2, syscall.SIGKILL),
			codes: []int{69, 69, killedHost}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a worker is killed, and the ranks notice it first", n: 3,
			words: launchArgs(standIn, "/opt/bin/peer"),
			act:   sendSignal(2, syscall.SIGKILL), codes: []int{69, 69, killedHost}, failure: "algo-3: lost: ",
			failed: map[int]string{2: ""},
		},
		{
			name: "a worker is cut off, and the ranks notice it first", n: 3,
			words: launchArgs(standIn, "/opt/bin/peer"),
			act:   cutOff(2), codes: []int{69, 69, 69}, failure: "algo-3: lost: ",
			failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "the leader is killed", n: 3, words: sh(forever), act: sendSignal(0, syscall.SIGKILL),
			codes: []int{killedHost, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: ""},
		},
		{
			name: "a worker's daemon is killed", n: 2, words: sh(forever), act: killProgram(1, "orted"),
			codes: []int{137, 137}, failure: "algo-2: the launcher's daemon ended with exit code 137",
		},
		{
			name: "an agent is killed", n: 2, words: sh(forever), act: killProgram(0, "entrain-rsh"),
			codes:   []int{69, 69},
			failure: "algo-2: the process that had started the launcher's daemon there was killed",
		},
		{
			name: "mpirun is killed", n: 2, words: sh(forever), act: killProgram(0, "mpirun"),
			codes: []int{137, 137}, failure: "(algo-1|" + standIn + "): killed by SIGKILL",
		},
		{
			name: "an agent fails, and mpirun lives on", n: 2,
			words: withStandIn("lives on", launchArgs(standIn, "true")), codes: []int{69, 69}, failure: foreign,
		},
		{
			name: "mpirun ends with 0 and has done nothing", n: 2,
			words: withStandIn("does nothing", launchArgs(standIn, "true")), codes: []int{1, 1},
			failure: "algo-1: the launcher ended with exit code 0, but no rank has begun",
		},
		{
			name: "an agent fails, and mpirun ends with 0", n: 2,
			words: withStandIn("ends with 0", launchArgs(standIn, "true")), codes: []int{69, 69}, failure: foreign,
		},
		{
			name: "mpirun ends with 0 while all ranks are at work", n: 2,
			words: withStandIn("leaves", sh(forever)), act: leave,
			codes: []int{1, 1}, failure: "algo-1: " + unfinished,
		},
		{
			name: "mpirun ends with 0 while a worker's rank is at work", n: 2,
			words: withStandIn("leaves", sh(leaderEnds)),
			act:   leave, codes: []int{1, 1}, failure: "algo-2: " + unfinished,
		},
		{
			name: "a stop before any rank has begun", n: 2, words: withStandIn("waits", launchArgs(standIn, "true")),
			before: true, act: func(l *lab) { l.hosts[0].job.waitFor("launching"); stop(0)(l) },
			codes: []int{143, 143}, failure: "algo-1: " + early, failed: map[int]string{1: "stopped by SIGTERM"},
		},
		{
			name: "a stop of a worker before any rank has begun", n: 2,
			words:  withStandIn("waits", launchArgs(standIn, "true")),
			before: true, act: func(l *lab) { l.hosts[0].job.waitFor("launching"); stop(1)(l) },
			codes: []int{143, 143}, failure: "algo-1: " + early, failed: map[int]string{1: "stopped by SIGTERM"},
		},
	}
}

// TestHostsEndTogetherUnderStandIn uses a stand-in for a launcher, because a real launcher does not fail
// on command.
func TestHostsEndTogetherUnderStandIn(t *testing.T) {
	for _, s := range launchScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// realScenarios are the scenarios for the launchers of Debian. MPICH 4.0.2 hangs in MPI_Finalize if there
// are several hosts, so no program here uses MPI.
func realScenarios(mpirun string) []scenario {
	sh := func(script string) []string { return launchArgs(mpirun, "sh", "-c", script) }
	flag, hostfile := "--hostfile", "algo-1 slots=1\nfoo slots=1\n"
	if mpirun == "mpirun.mpich" {
		flag, hostfile = "-f", "algo-1:1\nfoo:1\n"
	}
	options := `{"sagemaker_mpi_custom_mpi_options": "\"` + flag + ` /tmp/myhosts\""}`
	return []scenario{
		// The ranks live for a moment. If they end while Hydra still writes to their proxies, Hydra dies of
		// SIGPIPE.
		{name: "two hosts finish", n: 2, words: launchArgs(mpirun, "sleep", "0.3"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: launchArgs(mpirun, "sleep", "0.3"), codes: []int{0, 0, 0}},
		{
			name: "a rank exits with 3", n: 2, words: sh(`test $RANK = 1 && exit 3; sleep 60`), codes: []int{3, 3},
			failure: "algo-2: rank 1: exit code 3", failed: map[int]string{1: "(algo-2: )?rank 1: exit code 3"},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: sendSignal(2, syscall.SIGKILL),
			codes: []int{69, 69, killedHost}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a hostfile of the user names a host outside the job", n: 2, before: true,
			words: launchArgs(mpirun, "true"),
			files: map[string]string{
				"tmp/myhosts": hostfile, "ml/input/config/hyperparameters.json": options,
			},
			codes: []int{anyFailure, anyFailure}, failure: ".*foo is not a host of this job", within: 25 * time.Second,
		},
	}
}

// openSSH changes the words of launchArgs: the launcher reaches the other hosts with the ssh and sshd of
// the machine.
func openSSH(words []string) []string {
	return slices.Insert(words[1:], slices.Index(words, "--")-1, "--agent", "openssh") // words[0] is the key
}

// TestHostsEndTogetherUnderOpenSSH uses ssh and sshd instead of entrain's own agent.
func TestHostsEndTogetherUnderOpenSSH(t *testing.T) {
	needProgram(t, "sshd")
	sh := func(script string) []string { return openSSH(launchArgs(standIn, "sh", "-c", script)) }
	for _, s := range []scenario{
		{name: "two hosts finish", n: 2, words: openSSH(launchArgs(standIn, "true")), codes: []int{0, 0}},
		{
			name: "a rank exits with 3", n: 2, words: sh(`test $RANK = 1 && exit 3; sleep 60`), codes: []int{3, 3},
			failure: "algo-2: rank 1: exit code 3", failed: map[int]string{1: "(algo-2: )?rank 1: exit code 3"},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: sendSignal(2, syscall.SIGKILL),
			codes: []int{69, 69, killedHost}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a worker's daemon is killed", n: 2, words: sh(forever), act: killProgram(1, "orted"),
			codes: []int{137, 137}, failure: "algo-2: the launcher's daemon ended with exit code 137",
		},
		{
			name: "ssh is killed", n: 2, words: sh(forever), act: killProgram(0, "ssh"),
			codes: []int{anyFailure, anyFailure}, failure: "algo-2: ",
		},
		{
			name: "sshd is killed", n: 2, words: sh(forever), act: killProgram(1, "sshd"),
			codes: []int{anyFailure, anyFailure}, failure: "algo-2: ",
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestHostsEndTogetherUnderRealLauncher uses the launchers of Open MPI and MPICH.
func TestHostsEndTogetherUnderRealLauncher(t *testing.T) {
	for _, mpirun := range []string{"mpirun.openmpi", "mpirun.mpich"} {
		for _, s := range realScenarios(mpirun) {
			t.Run(mpirun+", "+s.name, func(t *testing.T) {
				t.Parallel()
				needProgram(t, mpirun)
				s.run(t)
			})
		}
	}
}
