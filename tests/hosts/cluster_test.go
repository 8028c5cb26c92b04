package hosts

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// takeLeadersPort kills the leader and has another program listen on the port of the leader. That program
// runs before the leader dies, because the worker gives up a leader whose port is closed for too long.
func takeLeadersPort(l *lab) {
	l.t.Helper()
	const program = `import http.server
print("ready", flush=True)
while True:
    try:
        http.server.HTTPServer(("", 7791), http.server.SimpleHTTPRequestHandler).serve_forever()
    except OSError:
        pass`
	h := l.hosts[0]
	argv := h.in("python3", "-c", program)
	other := exec.Command(argv[0], argv[1:]...)
	other.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	})
	if _, err := out.Read(make([]byte, len("ready"))); err != nil {
		l.t.Fatal(err)
	}
	h.job.signal(syscall.SIGKILL)
	h.job.waitForEnd(15 * time.Second)
}

// TestHostsEndTogether checks how all hosts end when one of them finishes, fails, or is lost.
func TestHostsEndTogether(t *testing.T) {
	const saves = `trap 'saving=1' TERM; echo training; while [ -z "$saving" ]; do sleep 0.05; done
echo saved >/opt/ml/model/saved`
	const secret = `test $SM_CURRENT_HOST = algo-2 || exec sleep 60
echo "error: no login with $DB_PASSWORD" >&2; exit 3`
	const failsOnCommand = `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done
echo yes >/opt/ml/gone; exit 3`
	for _, s := range []scenario{
		{name: "two hosts finish", n: 2, words: trainArgs("true"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: trainArgs("true"), codes: []int{0, 0, 0}},
		{
			name: "a name is late", n: 2, words: trainArgs("true"),
			files: map[string]string{"hosts": "10.77.0.1 algo-1\n"}, before: true,
			act: func(l *lab) {
				l.hosts[0].job.waitFor("waiting for 1 of 2 hosts")
				for _, h := range l.hosts {
					h.write("hosts", "10.77.0.1 algo-1\n10.77.0.2 algo-2\n")
				}
			}, codes: []int{0, 0},
		},
		{
			name: "a trainer fails", n: 3,
			words: trainArgs("sh", "-c", `test $SM_CURRENT_HOST = algo-2 && exit 3; sleep 60`),
			codes: []int{3, 3, 3}, failure: "algo-2: exit code 3", failed: map[int]string{1: "sh: exit code 3"},
			within: 5 * time.Second,
		},
		{
			name: "a secret is told to no other host", n: 2,
			words:   trainArgs("sh", "-c", secret),
			special: map[int][]string{1: {"DB_PASSWORD=swordfish-4711"}}, codes: []int{3, 3},
			failure: `algo-2: exit code 3: error: no login with \*{6}$`,
			failed:  map[int]string{1: `error: no login with \*{6}\n`},
		},
		{
			name: "a stop saves", n: 2, words: trainArgs("sh", "-c", saves), act: sendSignal(1, syscall.SIGTERM),
			codes: []int{0, 0},
		},
		{
			name: "a trainer fails while another host is away for a moment", n: 3,
			words: trainArgs("sh", "-c", failsOnCommand),
			act: func(l *lab) {
				l.hosts[2].cut()
				l.hosts[1].write("ml/go", "")
				err := eventually("the trainer fails", func() bool { return l.hosts[1].read("ml/gone") != "" })
				if err != nil {
					l.t.Error(err)
				}
				l.hosts[2].heal()
			},
			codes: []int{3, 3, 3}, failure: "algo-2: exit code 3", failed: map[int]string{1: "sh: exit code 3"},
		},
		{
			name: "a tenth of the packets is lost", n: 3, words: trainArgs("true"), before: true,
			act: func(l *lab) { l.hosts[0].drop(7791, 0.1); l.hosts[1].drop(7791, 0.1) }, codes: []int{0, 0, 0},
		},
		{
			name: "the leader's port is filtered for a while", n: 2, words: trainArgs("true"), before: true,
			prepare: func(l *lab) { l.hosts[0].drop(7791, 1) },
			act: func(l *lab) {
				l.hosts[1].job.waitFor("the port is filtered")
				l.hosts[0].allow(7791, 1)
			},
			codes: []int{0, 0},
		},
		{
			name: "a worker is killed, and the trainers notice it first", n: 3, words: trainArgs("peer"),
			act:   sendSignal(2, syscall.SIGKILL),
			codes: []int{69, 69, killedHost}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "the leader is killed, and the trainers notice it first", n: 3, words: trainArgs("peer"),
			act:   sendSignal(0, syscall.SIGKILL),
			codes: []int{killedHost, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: ""},
		},
		{
			name: "another program takes the leader's place, and the trainer ends with 0", n: 2,
			words:   trainArgs("sh", "-c", `trap 'exit 0' TERM; echo training; while :; do sleep 0.05; done`),
			act:     takeLeadersPort,
			codes:   []int{killedHost, 65},
			failure: "algo-1 refuses: another program than entrain listens on its port 7791",
			failed:  map[int]string{0: ""},
		},
		{
			name: "a worker is cut off, and the trainers notice it first", n: 3, words: trainArgs("peer"),
			act:   cutOff(2),
			codes: []int{69, 69, 69}, failure: "algo-3: lost: ", failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "the leader is cut off, and the trainers notice it first", n: 3, words: trainArgs("peer"),
			act:   cutOff(0),
			codes: []int{69, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: "algo-"},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestWorkerWaitsForAbsentLeaderOnlyAsLongAsTold also checks that the failure file says why the wait ended.
func TestWorkerWaitsForAbsentLeaderOnlyAsLongAsTold(t *testing.T) {
	wait := func(timeout string) []string {
		return []string{"run", "--args-style", "none", "--wait-timeout", timeout, "--", "true"}
	}
	stop := func(sig syscall.Signal) func(*lab) {
		return func(l *lab) {
			l.hosts[1].job.waitFor("waiting for")
			l.hosts[1].job.signal(sig)
		}
	}
	for _, s := range []scenario{
		{
			name: "the time is over", words: wait("3s"), act: func(*lab) {}, codes: []int{0, 69},
			failure: "1 of 2 hosts missing after 3s: algo-1", within: 8 * time.Second,
		},
		{
			name: "SIGTERM", words: wait("10m"), act: stop(syscall.SIGTERM), codes: []int{0, 143},
			failure: "stopped by SIGTERM while this host waited for the others", within: 6 * time.Second,
		},
		{
			name: "SIGINT", words: wait("10m"), act: stop(syscall.SIGINT), codes: []int{0, 130},
			failure: "stopped by SIGINT while this host waited for the others", within: 6 * time.Second,
		},
	} {
		s.n, s.absent, s.before = 2, []int{0}, true
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestFailedHostStaysToTellOthers checks that a host that fails before the others come stays to tell
// them. It stays until they have come, until it gets a signal, or until the time to wait for them is
// over.
func TestFailedHostStaysToTellOthers(t *testing.T) {
	const failure = `hyperparameters.json:1:1: the document is a list`
	stays := func(i int) func(*lab) {
		return func(l *lab) { l.hosts[i].job.waitFor("stays up to") }
	}
	stop := func(i int) func(*lab) {
		return func(l *lab) { stays(i)(l); l.hosts[i].job.signal(syscall.SIGTERM) }
	}
	comes := func(l *lab) {
		stays(1)(l)
		l.hosts[0].write("ml/input/config/hyperparameters.json", "{}")
		l.hosts[0].run(trainArgs("true")...)
	}
	for _, s := range []scenario{
		{
			name: "the leader comes late", absent: []int{0}, act: comes, codes: []int{65, 65},
			failure: ".*" + failure,
		},
		{
			name: "a worker is stopped", absent: []int{0}, act: stop(1), codes: []int{0, 65}, failure: failure,
			within: 6 * time.Second,
		},
		{
			name: "a leader is stopped", absent: []int{1}, act: stop(0), codes: []int{65, 0}, failure: failure,
			within: 6 * time.Second,
		},
		{
			name: "the time is over", absent: []int{0},
			words: append([]string{"run", "--wait-timeout", "2s"}, trainArgs("true")[1:]...),
			act:   stays(1), codes: []int{0, 65}, failure: failure, within: 8 * time.Second,
		},
	} {
		s.n, s.before, s.files = 2, true, map[string]string{"ml/input/config/hyperparameters.json": `["lr"]`}
		if s.words == nil {
			s.words = trainArgs("true")
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
