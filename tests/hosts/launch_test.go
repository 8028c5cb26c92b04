package hosts

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const standIn = "/opt/bin/standin/mpirun"

// launched is the words of a job that a launcher starts, with a key of the cluster before them.
func launched(mpirun string, words ...string) []string {
	key := "ENTRAIN_CLUSTER_KEY=" + strings.Repeat("ab", 32)
	env := []string{key}
	if mpirun == standIn {
		env = append(env, "PATH=/opt/bin/standin:/usr/bin:/bin") // with its own orted
	}
	return append(append(env, "run", "--launcher", "mpi", "--mpirun", mpirun, "--args-style", "none", "--peer-timeout", "6s", "--grace", "6s", "--"), words...)
}

// behaves has the stand-in of every host do something of its own.
func behaves(how string, words []string) []string {
	return append([]string{"STANDIN=" + how}, words...)
}

const forever = "echo training; exec sleep 600"

func launchScenarios() []scenario {
	const foreign = "algo-1: foo is not a host of this job"
	const early = "stopped by SIGTERM before any rank had begun"
	const unfinished = "the launcher ended with exit code 0 while ranks were at work here"
	leave := func(l *lab) { l.hosts[0].write("ml/go", "") }
	sh := func(script string) []string { return launched(standIn, "sh", "-c", script) }
	stop := func(i int) func(*lab) {
		return func(l *lab) { l.hosts[i].job.signal(syscall.SIGTERM) }
	}
	return []scenario{
		{name: "two hosts finish", n: 2, words: launched(standIn, "true"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: launched(standIn, "true"), codes: []int{0, 0, 0}},
		{name: "mpirun does not know its own host", n: 2, words: behaves("knows no host", launched(standIn, "true")), codes: []int{0, 0}},
		{
			name: "a rank exits with 3", n: 3, words: sh(`test $RANK = 2 && exit 3; sleep 60`), codes: []int{3, 3, 3},
			failure: "algo-3: rank 2: exit code 3", failed: map[int]string{2: "(algo-3: )?rank 2: exit code 3"},
		},
		{
			name: "a stop saves", n: 2, words: sh(`trap 'saving=1' TERM; echo training; while [ -z "$saving" ]; do sleep 0.05; done; sleep 1`),
			act: stop(1), codes: []int{0, 0},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: func(l *lab) { l.hosts[2].job.signal(syscall.SIGKILL) },
			codes: []int{69, 69, gone}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a worker is killed, and the ranks notice it first", n: 3, words: launched(standIn, "/opt/bin/peer"),
			act: func(l *lab) { l.hosts[2].job.signal(syscall.SIGKILL) }, codes: []int{69, 69, gone}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a worker is cut off, and the ranks notice it first", n: 3, words: launched(standIn, "/opt/bin/peer"),
			act: func(l *lab) { l.hosts[2].cut() }, codes: []int{69, 69, 69}, failure: "algo-3: lost: ", failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "the leader is killed", n: 3, words: sh(forever), act: func(l *lab) { l.hosts[0].job.signal(syscall.SIGKILL) },
			codes: []int{gone, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: ""},
		},
		{
			name: "a worker's daemon is killed", n: 2, words: sh(forever), act: func(l *lab) { l.hosts[1].job.kill("orted") },
			codes: []int{137, 137}, failure: "algo-2: the launcher's daemon ended with exit code 137",
		},
		{
			name: "an agent is killed", n: 2, words: sh(forever), act: func(l *lab) { l.hosts[0].job.kill("entrain-rsh") },
			codes: []int{69, 69}, failure: "algo-2: the process that had started the launcher's daemon there was killed",
		},
		{name: "mpirun is killed", n: 2, words: sh(forever), act: func(l *lab) { l.hosts[0].job.kill("mpirun") }, codes: []int{137, 137}, failure: "(algo-1|" + standIn + "): killed by SIGKILL"},
		{name: "an agent fails, and mpirun lives on", n: 2, words: behaves("lives on", launched(standIn, "true")), codes: []int{69, 69}, failure: foreign},
		{
			name: "mpirun ends with 0 and has done nothing", n: 2, words: behaves("does nothing", launched(standIn, "true")), codes: []int{1, 1},
			failure: "algo-1: the launcher ended with exit code 0, but no rank has begun",
		},
		{name: "an agent fails, and mpirun ends with 0", n: 2, words: behaves("ends with 0", launched(standIn, "true")), codes: []int{69, 69}, failure: foreign},
		{
			name: "mpirun ends with 0 while all ranks are at work", n: 2, words: behaves("leaves", sh(forever)), act: leave,
			codes: []int{1, 1}, failure: "algo-1: " + unfinished,
		},
		{
			name: "mpirun ends with 0 while a worker's rank is at work", n: 2, words: behaves("leaves", sh(`echo training; test $RANK = 0 || sleep 600`)),
			act: leave, codes: []int{1, 1}, failure: "algo-2: " + unfinished,
		},
		{
			name: "a stop before any rank has begun", n: 2, words: behaves("waits", launched(standIn, "true")),
			before: true, act: func(l *lab) { l.hosts[0].job.waitFor("launching"); stop(0)(l) },
			codes: []int{143, 143}, failure: "algo-1: " + early, failed: map[int]string{1: "stopped by SIGTERM"},
		},
		{
			name: "a stop of a worker before any rank has begun", n: 2, words: behaves("waits", launched(standIn, "true")),
			before: true, act: func(l *lab) { l.hosts[0].job.waitFor("launching"); stop(1)(l) },
			codes: []int{143, 143}, failure: "algo-1: " + early, failed: map[int]string{1: "stopped by SIGTERM"},
		},
	}
}

// TestLaunch: a launcher that stands in for the real ones, which do not fail as one would like to try.
func TestLaunch(t *testing.T) {
	for _, s := range launchScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// realScenarios are those of Debian's own launchers. MPICH 4.0.2 hangs in MPI_Finalize over hosts, so no program here uses MPI.
func realScenarios(mpirun string) []scenario {
	sh := func(script string) []string { return launched(mpirun, "sh", "-c", script) }
	flag, hostfile := "--hostfile", "algo-1 slots=1\nfoo slots=1\n"
	if mpirun == "mpirun.mpich" {
		flag, hostfile = "-f", "algo-1:1\nfoo:1\n"
	}
	return []scenario{
		// The ranks live for a moment: where they end while Hydra still writes to their proxies, it dies of SIGPIPE.
		{name: "two hosts finish", n: 2, words: launched(mpirun, "sleep", "0.3"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: launched(mpirun, "sleep", "0.3"), codes: []int{0, 0, 0}},
		{
			name: "a rank exits with 3", n: 2, words: sh(`test $RANK = 1 && exit 3; sleep 60`), codes: []int{3, 3},
			failure: "algo-2: rank 1: exit code 3", failed: map[int]string{1: "(algo-2: )?rank 1: exit code 3"},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: func(l *lab) { l.hosts[2].job.signal(syscall.SIGKILL) },
			codes: []int{69, 69, gone}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "a hostfile of the user's names a host of no job", n: 2, before: true, words: launched(mpirun, "true"), files: map[string]string{
				"tmp/myhosts": hostfile, "ml/input/config/hyperparameters.json": `{"sagemaker_mpi_custom_mpi_options": "\"` + flag + ` /tmp/myhosts\""}`,
			},
			codes: []int{bad, bad}, failure: ".*foo is not a host of this job", within: 25 * time.Second,
		},
	}
}

// openSSH is a launch by the machine's own ssh and sshd.
func openSSH(words []string) []string {
	return slices.Insert(words[1:], slices.Index(words, "--")-1, "--agent", "openssh") // without the key
}

func TestOpenSSH(t *testing.T) {
	needProgram(t, "sshd")
	sh := func(script string) []string { return openSSH(launched(standIn, "sh", "-c", script)) }
	for _, s := range []scenario{
		{name: "two hosts finish", n: 2, words: openSSH(launched(standIn, "true")), codes: []int{0, 0}},
		{
			name: "a rank exits with 3", n: 2, words: sh(`test $RANK = 1 && exit 3; sleep 60`), codes: []int{3, 3},
			failure: "algo-2: rank 1: exit code 3", failed: map[int]string{1: "(algo-2: )?rank 1: exit code 3"},
		},
		{
			name: "a worker is killed", n: 3, words: sh(forever), act: func(l *lab) { l.hosts[2].job.signal(syscall.SIGKILL) },
			codes: []int{69, 69, gone}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{name: "ssh is killed", n: 2, words: sh(forever), act: func(l *lab) { l.hosts[0].job.kill("ssh") }, codes: []int{bad, bad}, failure: "algo-2: "},
		{name: "sshd is killed", n: 2, words: sh(forever), act: func(l *lab) { l.hosts[1].job.kill("sshd") }, codes: []int{bad, bad}, failure: "algo-2: "},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

func TestRealLaunch(t *testing.T) {
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
