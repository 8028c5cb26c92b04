package hosts

import (
	"slices"
	"testing"
	"time"
)

// launchTimeout changes the words of launchArgs: the ranks of every host must begin within a time.
func launchTimeout(timeout string, words []string) []string {
	return slices.Insert(slices.Clone(words), slices.Index(words, "--"), "--launch-timeout", timeout)
}

// TestFilteredPortsEndTheLaunch: a launch whose hosts cannot reach each other ends within --peer-timeout, and
// all hosts name the port. The ranks never begin.
func TestFilteredPortsEndTheLaunch(t *testing.T) {
	const mpiPort = "algo-2: cannot reach port [0-9]+ of algo-1 \\(10\\.77\\.0\\.1\\), where MPI listens: " +
		"the security group must admit all ports between the job's hosts"
	agentPort := func(address, why string) string {
		return "algo-2: cannot be reached at port 7791 of " + address +
			", to which its name leads on algo-1: " + why
	}
	const refused = "algo-2: cannot reach port [0-9]+ of algo-1 \\(10\\.77\\.0\\.1\\), where MPI listens: " +
		"connection refused"
	refuseMPI := func(l *lab) {
		for _, h := range l.hosts {
			h.refuseAllBut(7791)
		}
	}
	onlyRendezvous := func(l *lab) {
		for _, h := range l.hosts {
			h.admitOnly(7791)
		}
	}
	stale := func(l *lab) { l.hosts[0].write("hosts", "10.77.0.1 algo-1\n10.77.0.99 algo-2\n") }
	for _, s := range []scenario{
		{
			name: "only 7791 is open, MPICH", words: launchArgs("mpirun.mpich", "true"),
			prepare: onlyRendezvous, failure: mpiPort,
		},
		{
			name: "only 7791 is open, Open MPI", words: launchArgs("mpirun.openmpi", "true"),
			prepare: onlyRendezvous, failure: mpiPort,
		},
		{
			name: "MPI's ports are refused, MPICH", words: launchArgs("mpirun.mpich", "true"),
			prepare: refuseMPI, failure: refused, act: func(*lab) {},
		},
		{
			name: "MPI's ports are refused, Open MPI", words: launchArgs("mpirun.openmpi", "true"),
			prepare: refuseMPI, failure: refused, act: func(*lab) {},
		},
		{
			name: "only 7791 is open, MPICH by OpenSSH", words: openSSH(launchArgs("mpirun.mpich", "true")),
			prepare: onlyRendezvous, failure: mpiPort,
		},
		{
			name: "MPI's ports are refused, Open MPI by OpenSSH", act: func(*lab) {}, prepare: refuseMPI,
			words: openSSH(launchArgs("mpirun.openmpi", "true")), failure: refused,
		},
		{
			name: "a worker's 7791 is filtered", words: launchArgs(standIn, "true"),
			prepare: func(l *lab) { l.hosts[1].drop(7791, 1) },
			failure: agentPort("10.77.0.2", "it does not answer: the port is filtered"),
		},
		{
			name: "a worker's 7791 is filtered, MPICH", words: launchArgs("mpirun.mpich", "true"),
			prepare: func(l *lab) { l.hosts[1].drop(7791, 1) },
			failure: agentPort("10.77.0.2", "it does not answer: the port is filtered"),
		},
		{
			name: "a worker's 7791 is refused", words: launchArgs(standIn, "true"),
			prepare: func(l *lab) { l.hosts[1].refuse(7791) },
			failure: agentPort("10.77.0.2", "it refuses connections"),
		},
		{
			name: "the worker's name leads elsewhere on the leader", words: launchArgs(standIn, "true"),
			prepare: stale,
			failure: agentPort("10.77.0.99", "it (cannot be reached: no route leads there|does not answer)"),
		},
	} {
		s.n, s.codes, s.before = 2, []int{69, 69}, true
		if s.act == nil {
			s.act = func(l *lab) { l.hosts[1].job.waitFor("no rank has begun on algo-2 yet, after 5s") }
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if mpirun := s.words[slices.Index(s.words, "--mpirun")+1]; mpirun != standIn {
				needProgram(t, mpirun)
			}
			s.run(t)
		})
	}
}

// TestLaunchTimeoutEndsTheLaunch: a rank that never begins ends the job after --launch-timeout, as a failure
// of its host. What the trainers do before that does not matter.
func TestLaunchTimeoutEndsTheLaunch(t *testing.T) {
	const within = " within the --launch-timeout of 3s"
	forever := launchTimeout("3s", launchArgs(standIn, "sh", "-c", forever))
	for _, s := range []scenario{
		{
			name: "a rank's wrapper dies before it registers", words: withStandIn("loses a rank", forever),
			codes: []int{69, 69}, failure: "algo-2: no rank has begun there" + within,
		},
		{
			name: "mpirun starts nothing", words: withStandIn("waits", forever),
			codes: []int{69, 69}, failure: "algo-1: no rank has begun on any host" + within,
		},
		{
			name: "a worker has more slots than ranks that begin", words: forever,
			special: map[int][]string{1: {"ENTRAIN_SLOTS=2"}},
			codes:   []int{69, 69}, failure: "algo-2: only 1 of 2 ranks have begun there" + within,
		},
		{
			name: "the trainer runs longer than that", words: launchTimeout("3s", launchArgs(standIn, "sleep", "5")),
			codes: []int{0, 0},
		},
	} {
		s.n, s.before, s.within = 2, true, 12*time.Second
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestResetOfTheAgentIsSurvived: the worker resets the connection of the leader's agent, and refuses new
// ones, for less than --peer-timeout. The launcher's daemons live on, and the job ends well.
func TestResetOfTheAgentIsSurvived(t *testing.T) {
	const script = `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done`
	const rule = `iptables -w $0 INPUT -p tcp --dport 7791 -j REJECT --reject-with tcp-reset`
	for _, mpirun := range []string{standIn, "mpirun.openmpi", "mpirun.mpich"} {
		words := launchArgs(mpirun, "sh", "-c", script)
		words[slices.Index(words, "--peer-timeout")+1] = "12s"
		s := scenario{
			n: 2, words: words, codes: []int{0, 0},
			act: func(l *lab) {
				must(l.t, l.hosts[1].in("sh", "-c", rule, "-I")...)
				<-time.After(4 * time.Second) // a keepalive comes every 0.8 s
				must(l.t, l.hosts[1].in("sh", "-c", rule, "-D")...)
				l.endTrainers()
			},
		}
		t.Run(mpirun, func(t *testing.T) {
			t.Parallel()
			if mpirun != standIn {
				needProgram(t, mpirun)
			}
			s.run(t)
		})
	}
}

// TestAgentSurvivesASilentNetwork: all packets of the agent are lost for almost --peer-timeout. TCP would
// send the next one only after that.
func TestAgentSurvivesASilentNetwork(t *testing.T) {
	t.Parallel()
	const script = `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done`
	s := scenario{n: 2, words: launchArgs(standIn, "sh", "-c", script), codes: []int{0, 0}}
	s.words[slices.Index(s.words, "--peer-timeout")+1] = "16s"
	s.act = func(l *lab) {
		l.hosts[1].drop(7791, 1)
		<-time.After(14 * time.Second)
		l.hosts[1].allow(7791, 1)
		l.endTrainers()
	}
	s.run(t)
}
