package hosts

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scenario is a cluster, and what happens to it. Hosts are counted from 0, as in the slices here.
type scenario struct {
	name    string
	n       int
	words   []string          // of every host
	special map[int][]string  // variables of one host
	absent  []int             // hosts that never start
	files   map[string]string // of every host, below its directory
	act     func(*lab)        // once all hosts that are there have said "training"; at once where before is set
	before  bool
	prepare func(*lab)     // before any host starts
	codes   []int          // of each host; anything but 0 is bad
	failure string         // how every failure file begins: a regular expression
	failed  map[int]string // that of one host that differs
	within  time.Duration  // from the act to the last end; 15 s
}

// Codes that a scenario leaves open.
const (
	bad  = -2 // any but 0
	gone = -3 // of a host that was killed: unshare has no word for it
)

// run carries it out.
func (s *scenario) run(t *testing.T) {
	t.Helper()
	l := newLab(t, s.n)
	for _, h := range l.hosts {
		for name, text := range s.files {
			h.write(name, text)
		}
	}
	if s.prepare != nil {
		s.prepare(l)
	}
	for i, h := range l.hosts {
		if !slices.Contains(s.absent, i) {
			h.run(append(slices.Clone(s.special[i]), s.words...)...)
		}
	}
	if s.act != nil {
		if !s.before {
			l.training()
		}
		s.act(l)
	}
	if s.within == 0 {
		s.within = 15 * time.Second
	}
	until := time.Now().Add(s.within)
	for i, h := range l.hosts {
		if h.job == nil {
			continue
		}
		code, want := h.job.end(time.Until(until)), s.codes[i]
		if code != want && want != gone && (want != bad || code <= 0) {
			t.Errorf("%s ended with %d, expected %d", h.name, code, want)
		}
		text, other := s.failed[i]
		if !other && want != 0 {
			text = s.failure
		}
		if got := h.read("ml/output/failure"); !regexp.MustCompile("^"+text).MatchString(got) || text == "" && got != "" {
			t.Errorf("%s: the failure file says %q, expected %q…", h.name, got, text)
		}
	}
}

// training waits until all trainers have said so; a launcher has the leader say it for all.
func (l *lab) training() {
	l.t.Helper()
	if err := eventually("all trainers train", func() bool {
		said := 0
		for _, h := range l.hosts {
			said += strings.Count(h.job.said.String(), "training")
		}
		return said == len(l.hosts)
	}); err != nil {
		l.t.Fatal(err)
	}
}

// usurp kills the leader and has another program listen on its port. That program is there before: the worker must not
// find the port closed for so long that it takes the leader for lost.
func usurp(l *lab) {
	l.t.Helper()
	const takes = `import http.server
print("ready", flush=True)
while True:
    try:
        http.server.HTTPServer(("", 7791), http.server.SimpleHTTPRequestHandler).serve_forever()
    except OSError:
        pass`
	h := l.hosts[0]
	argv := h.in("python3", "-c", takes)
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
	h.job.end(15 * time.Second)
}

func train(words ...string) []string {
	return append([]string{"run", "--args-style", "none", "--peer-timeout", "6s", "--"}, words...)
}

func TestCluster(t *testing.T) {
	const saves = `trap 'saving=1' TERM; echo training; while [ -z "$saving" ]; do sleep 0.05; done; echo saved >/opt/ml/model/saved`
	for _, s := range []scenario{
		{name: "two hosts finish", n: 2, words: train("true"), codes: []int{0, 0}},
		{name: "three hosts finish", n: 3, words: train("true"), codes: []int{0, 0, 0}},
		{
			name: "a name is late", n: 2, words: train("true"), files: map[string]string{"hosts": "10.77.0.1 algo-1\n"}, before: true,
			act: func(l *lab) {
				l.hosts[0].job.waitFor("waiting for 1 of 2 hosts")
				for _, h := range l.hosts {
					h.write("hosts", "10.77.0.1 algo-1\n10.77.0.2 algo-2\n")
				}
			}, codes: []int{0, 0},
		},
		{
			name: "a trainer fails", n: 3, words: train("sh", "-c", `test $SM_CURRENT_HOST = algo-2 && exit 3; sleep 60`),
			codes: []int{3, 3, 3}, failure: "algo-2: exit code 3", failed: map[int]string{1: "sh: exit code 3"}, within: 5 * time.Second,
		},
		{
			name: "a secret is told to no other host", n: 2,
			words:   train("sh", "-c", `test $SM_CURRENT_HOST = algo-2 || exec sleep 60; echo "error: no login with $DB_PASSWORD" >&2; exit 3`),
			special: map[int][]string{1: {"DB_PASSWORD=swordfish-4711"}}, codes: []int{3, 3},
			failure: `algo-2: exit code 3: error: no login with \*{6}$`, failed: map[int]string{1: `error: no login with \*{6}\n`},
		},
		{name: "a stop saves", n: 2, words: train("sh", "-c", saves), act: func(l *lab) { l.hosts[1].job.signal(syscall.SIGTERM) }, codes: []int{0, 0}},
		{
			name: "a trainer fails while another host is away for a moment", n: 3,
			words: train("sh", "-c", `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done; echo yes >/opt/ml/gone; exit 3`),
			act: func(l *lab) {
				l.hosts[2].cut()
				l.hosts[1].write("ml/go", "")
				if err := eventually("the trainer fails", func() bool { return l.hosts[1].read("ml/gone") != "" }); err != nil {
					l.t.Error(err)
				}
				l.hosts[2].heal()
			},
			codes: []int{3, 3, 3}, failure: "algo-2: exit code 3", failed: map[int]string{1: "sh: exit code 3"},
		},
		{
			name: "a tenth of what comes is lost", n: 3, words: train("true"), before: true,
			act: func(l *lab) { l.hosts[0].drop(7791, 0.1); l.hosts[1].drop(7791, 0.1) }, codes: []int{0, 0, 0},
		},
		{
			name: "the leader's port is filtered for a while", n: 2, words: train("true"), before: true, prepare: func(l *lab) { l.hosts[0].drop(7791, 1) },
			act: func(l *lab) {
				l.hosts[1].job.waitFor("the port is filtered")
				l.hosts[0].allow(7791, 1)
			},
			codes: []int{0, 0},
		},
		{
			name: "a worker is killed, and the trainers notice it first", n: 3, words: train("peer"), act: func(l *lab) { l.hosts[2].job.signal(syscall.SIGKILL) },
			codes: []int{69, 69, gone}, failure: "algo-3: lost: ", failed: map[int]string{2: ""},
		},
		{
			name: "the leader is killed, and the trainers notice it first", n: 3, words: train("peer"), act: func(l *lab) { l.hosts[0].job.signal(syscall.SIGKILL) },
			codes: []int{gone, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: ""},
		},
		{
			name: "something else takes the leader's place, and the trainer ends well", n: 2,
			words: train("sh", "-c", `trap 'exit 0' TERM; echo training; while :; do sleep 0.05; done`), act: usurp,
			codes: []int{gone, 65}, failure: "algo-1 refuses: another program than entrain listens on its port 7791", failed: map[int]string{0: ""},
		},
		{
			name: "a worker is cut off, and the trainers notice it first", n: 3, words: train("peer"), act: func(l *lab) { l.hosts[2].cut() },
			codes: []int{69, 69, 69}, failure: "algo-3: lost: ", failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "the leader is cut off, and the trainers notice it first", n: 3, words: train("peer"), act: func(l *lab) { l.hosts[0].cut() },
			codes: []int{69, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{0: "algo-"},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestNobodyThere: a worker whose leader is not there waits for no longer than it is told to, and says so.
func TestNobodyThere(t *testing.T) {
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
		{name: "the time is over", words: wait("3s"), act: func(*lab) {}, codes: []int{0, 69}, failure: "1 of 2 hosts missing after 3s: algo-1", within: 8 * time.Second},
		{name: "SIGTERM", words: wait("10m"), act: stop(syscall.SIGTERM), codes: []int{0, 143}, failure: "waiting for the other hosts: stopped by SIGTERM", within: 6 * time.Second},
		{name: "SIGINT", words: wait("10m"), act: stop(syscall.SIGINT), codes: []int{0, 130}, failure: "waiting for the other hosts: stopped by SIGINT", within: 6 * time.Second},
	} {
		s.n, s.absent, s.before = 2, []int{0}, true
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestLingering: a host that has failed before the others came stays to tell them, until they come, a signal does, or it would
// have waited for them no longer.
func TestLingering(t *testing.T) {
	const failure = `hyperparameters.json:1:1: the document is a list`
	lingers := func(i int) func(*lab) {
		return func(l *lab) { l.hosts[i].job.waitFor("stays up to") }
	}
	stop := func(i int) func(*lab) {
		return func(l *lab) { lingers(i)(l); l.hosts[i].job.signal(syscall.SIGTERM) }
	}
	comes := func(l *lab) {
		lingers(1)(l)
		l.hosts[0].write("ml/input/config/hyperparameters.json", "{}")
		l.hosts[0].run(train("true")...)
	}
	for _, s := range []scenario{
		{name: "the leader comes late", absent: []int{0}, act: comes, codes: []int{65, 65}, failure: ".*" + failure},
		{name: "a worker is stopped", absent: []int{0}, act: stop(1), codes: []int{0, 65}, failure: failure, within: 6 * time.Second},
		{name: "a leader is stopped", absent: []int{1}, act: stop(0), codes: []int{65, 0}, failure: failure, within: 6 * time.Second},
		{
			name: "the time is over", absent: []int{0}, words: append([]string{"run", "--wait-timeout", "2s"}, train("true")[1:]...),
			act: lingers(1), codes: []int{0, 65}, failure: failure, within: 8 * time.Second,
		},
	} {
		s.n, s.before, s.files = 2, true, map[string]string{"ml/input/config/hyperparameters.json": `["lr"]`}
		if s.words == nil {
			s.words = train("true")
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
