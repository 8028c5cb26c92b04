package tests

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hosts are containers on a Docker network of their own. Docker's DNS knows them as algo-1, algo-2 and so on.
type hosts struct {
	t    *testing.T
	name string     // of the network; the names of the containers begin with it
	dirs []string   // the contract's directory of each host
	ends []chan int // the exit code of each host, or -1 if there is none
}

// newHosts returns hosts with a name that no other test has. It starts none.
func newHosts(t *testing.T) *hosts {
	t.Helper()
	return &hosts{t: t, name: fmt.Sprintf("entrain-test-%d-%d", os.Getpid(), rand.N(1<<30))}
}

// scenario is a cluster, what happens to it, and how it must end. Keys of maps are the numbers of hosts: host
// i is algo-i.
type scenario struct {
	name  string
	bound time.Duration // how long the hosts may take to end, after the start and the act
	n     int           // the number of hosts
	flags []string      // of entrain on every host
	key   bool          // the hosts have a cluster key

	late     map[int]time.Duration   // delays of hosts that start late, or never
	script   string                  // the trainer of every host, for sh
	scripts  map[int]string          // the trainers of the hosts that have another one
	stranger bool                    // strangers try to get in also before all hosts have started
	other    int                     // the number of a host that has another command, or 0
	spoil    func(dir string, i int) // changes the contract of the host with the index i
	act      func(*hosts)            // is called once all trainers train; nil for nothing

	codes   []int          // the exit code of each host; -1 for a host that never starts
	failure string         // a regular expression for the start of the failure file of each host that fails
	failed  map[int]string // the regular expressions of the hosts that have another one
	saved   bool           // every trainer must have received exactly one SIGTERM
}

// never is the delay of a host that does not start.
const never time.Duration = -1

// Trainers. Each says first that it trains, in a file.
const (
	marks    = `echo training > /opt/ml/output/trains; `
	trains   = marks + `exec sleep 600`
	finishes = marks + `exit 0`
	saves    = `trap 'echo TERM >> /opt/ml/output/saved; saving=1' TERM; ` +
		marks + `while [ -z "$saving" ]; do sleep 0.1; done; sleep 1`
)

// start starts the hosts in random order, and those of late after their delays.
func (s *scenario) start(t *testing.T, image string) *hosts {
	t.Helper()
	h := newHosts(t)
	must(t, "docker", "network", "create", h.name)
	t.Cleanup(func() { h.clean(s.n) })
	for i := range s.n {
		dir := tree(t, "--hosts", strconv.Itoa(s.n), "--current-host", h.host(i))
		script, ok := s.scripts[i+1]
		if !ok {
			script = s.script
		}
		if err := os.WriteFile(filepath.Join(dir, "trainer"), []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		if s.spoil != nil {
			s.spoil(dir, i)
		}
		h.dirs = append(h.dirs, dir)
		h.ends = append(h.ends, make(chan int, 1))
	}
	for _, i := range rand.Perm(s.n) {
		switch delay := s.late[i+1]; delay {
		case 0:
			h.run(s, image, i)
		case never:
			h.ends[i] <- -1
		default:
			go func() {
				time.Sleep(delay) // the test is about this delay
				h.run(s, image, i)
			}()
		}
	}
	return h
}

// host and container return the names for the host with the index i.
func (h *hosts) host(i int) string      { return "algo-" + strconv.Itoa(i+1) }
func (h *hosts) container(i int) string { return h.name + "-" + h.host(i) }

// run starts the host with the index i, and sends its exit code to h.ends.
func (h *hosts) run(s *scenario, image string, i int) {
	shell := "sh"
	if i+1 == s.other {
		shell = "/bin/sh"
	}
	argv := []string{
		"run", "-d", "--name", h.container(i), "--network", h.name,
		"--network-alias", h.host(i), "--hostname", h.host(i),
		"-v", h.dirs[i] + ":/opt/ml", "-e", "TRAINING_JOB_NAME=job-1",
		"--entrypoint", "/usr/local/bin/entrain",
	}
	if s.key {
		argv = append(argv, "-e", "ENTRAIN_CLUSTER_KEY="+strings.Repeat("ab", 32))
	}
	env, err := os.ReadFile(filepath.Join(h.dirs[i], "env"))
	if err == nil {
		argv = append(argv, "-e", string(env))
	}
	argv = append(argv, image, "run", "--args-style", "none", "--peer-timeout", "6s")
	argv = append(append(argv, s.flags...), "--", shell, "/opt/ml/trainer")
	if out, err := exec.Command("docker", argv...).CombinedOutput(); err != nil {
		h.t.Errorf("%v: %s", err, out)
	}
	go func() {
		out, err := exec.Command("docker", "wait", h.container(i)).Output()
		code, convErr := strconv.Atoi(string(bytes.TrimSpace(out)))
		if err != nil || convErr != nil {
			code = -1
		}
		h.ends[i] <- code
	}()
}

// clean removes the containers and the network. If the test failed, it logs what the hosts printed.
func (h *hosts) clean(n int) {
	for i := range n {
		if h.t.Failed() {
			out, _ := exec.Command("docker", "logs", h.container(i)).CombinedOutput()
			h.t.Logf("output of %s:\n%s", h.host(i), out)
		}
		_ = exec.Command("docker", "rm", "-f", h.container(i)).Run()
	}
	_ = exec.Command("docker", "network", "rm", h.name).Run()
}

// docker runs a command of docker on the container of algo-i. Further words stand before the container.
func (h *hosts) docker(verb string, i int, before ...string) {
	h.t.Helper()
	argv := append([]string{"docker"}, strings.Fields(verb)...)
	must(h.t, append(append(argv, before...), h.container(i-1))...)
}

// allTrain reports whether the trainers of all n hosts train.
func (h *hosts) allTrain(n int) bool {
	for i := range n {
		if _, err := os.Stat(filepath.Join(h.dirs[i], "output/trains")); err != nil {
			return false
		}
	}
	return true
}

// badContract returns a spoil that makes the contract of a host invalid.
func badContract(host int) func(string, int) {
	return func(dir string, i int) {
		if i+1 == host {
			path := filepath.Join(dir, "input/config/hyperparameters.json")
			_ = os.WriteFile(path, []byte(`["lr"]`), 0o644)
		}
	}
}

func clusterScenarios() []scenario {
	late := func(host int, delay time.Duration) map[int]time.Duration {
		return map[int]time.Duration{host: delay}
	}
	const (
		s        = time.Second
		invalid  = "hyperparameters.json:1:1: the document is a list, expected an object"
		released = marks + "while ! [ -e /opt/ml/go ]; do sleep 0.1; done"
	)
	return []scenario{
		{name: "all hosts are well", bound: 10 * s, n: 4, script: finishes, codes: []int{0, 0, 0, 0}},
		{name: "with a cluster key", bound: 10 * s, n: 3, key: true, script: finishes, codes: []int{0, 0, 0}},
		{
			name: "a worker starts 20 s late", bound: 35 * s, n: 3, late: late(2, 20*s),
			script: finishes, codes: []int{0, 0, 0},
		},
		{
			name: "a worker never starts", bound: 20 * s, n: 3, late: late(3, never),
			flags: []string{"--wait-timeout", "5s"}, script: trains, codes: []int{69, 69, -1},
			failure: "(algo-.: )?waiting for host names: 1 of 3 hosts missing after 5s: algo-3",
		},
		{
			name: "a worker's contract is invalid", bound: 20 * s, n: 3, spoil: badContract(2), script: trains,
			codes: []int{65, 65, 65}, failure: "algo-2: " + invalid, failed: map[int]string{2: invalid},
		},
		{
			name:  "the leader's contract is invalid, a worker starts late",
			bound: 25 * s, n: 3, spoil: badContract(1), late: late(3, 5*s), script: trains,
			codes: []int{65, 65, 65}, failure: "algo-1: " + invalid, failed: map[int]string{1: invalid},
		},
		{
			name: "a trainer exits 7", bound: 15 * s, n: 3, script: trains,
			scripts: map[int]string{2: released + "; echo RuntimeError: no luck >&2; exit 7"},
			act:     func(h *hosts) { h.release(2) }, codes: []int{7, 7, 7},
			failure: "algo-2: exit code 7: RuntimeError: no luck",
			failed:  map[int]string{2: "RuntimeError: no luck\nsh: exit code 7"},
		},
		{
			name: "a worker is killed", bound: 20 * s, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("kill", 3) },
			codes: []int{69, 69, 137}, failure: "algo-3: lost: ", failed: map[int]string{3: ""},
		},
		{
			name: "the leader is killed", bound: 20 * s, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("kill", 1) },
			codes: []int{137, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{1: ""},
		},
		{
			name: "a worker is paused", bound: 25 * s, n: 3, script: trains,
			act: func(h *hosts) {
				h.docker("pause", 2)
				h.awaitEnds(1, 3)
				h.docker("unpause", 2)
			},
			codes: []int{69, 69, 69}, failure: "algo-2: lost: ", failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "a worker is cut off", bound: 25 * s, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("network disconnect", 3, h.name) },
			codes: []int{69, 69, 69}, failure: "algo-3: lost: ", failed: map[int]string{3: "algo-1: lost: "},
		},
		{
			name: "the leader is cut off", bound: 25 * s, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("network disconnect", 1, h.name) },
			codes: []int{69, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{1: "algo-"},
		},
		{
			name: "docker stop on a worker", bound: 20 * s, n: 3, script: saves,
			act:   func(h *hosts) { h.docker("stop", 2) },
			codes: []int{0, 0, 0}, saved: true,
		},
		{
			name: "docker stop on the leader", bound: 20 * s, n: 3, script: saves,
			act:   func(h *hosts) { h.docker("stop", 1) },
			codes: []int{0, 0, 0}, saved: true,
		},
		{
			name:  "strangers at a cluster with a key",
			bound: 30 * s, n: 3, key: true, late: late(3, 3*s), script: released, stranger: true,
			act:   func(h *hosts) { h.stranger(); h.otherKey(); h.release(1); h.release(2); h.release(3) },
			codes: []int{0, 0, 0},
		},
		{
			name:  "strangers at a cluster without a key",
			bound: 30 * s, n: 3, late: late(3, 3*s), script: released, stranger: true,
			act:   func(h *hosts) { h.stranger(); h.release(1); h.release(2); h.release(3) },
			codes: []int{0, 0, 0},
		},
		{
			name: "two hosts with different commands", bound: 15 * s, n: 2, script: trains, other: 2,
			codes: []int{65, 65}, failure: "algo-2: the command's word 1 differs: ",
			failed: map[int]string{2: "algo-1 refuses: the command's word 1 differs: "},
		},
		{
			name: "the hosts ignore the failure of another", bound: 15 * s, n: 3,
			flags: []string{"--on-peer-failure", "ignore"}, script: trains,
			scripts: map[int]string{2: "exit 7", 1: "sleep 2", 3: "sleep 3"},
			codes:   []int{0, 7, 0}, failed: map[int]string{2: "sh: exit code 7"},
		},
	}
}

// release lets the trainer of algo-i continue.
func (h *hosts) release(i int) {
	if err := os.WriteFile(filepath.Join(h.dirs[i-1], "go"), nil, 0o644); err != nil {
		h.t.Error(err)
	}
}

// strangers is a Python program. From a container that is no host of the cluster, it tries many ways to take
// part in the rendezvous, and prints the answers.
const strangers = `
import json, socket, ssl, sys, time, urllib.error, urllib.request
deadline = time.time() + 20
while True:
    try:
        socket.create_connection(("algo-1", 7791), 2).close()
        break
    except OSError:
        if time.time() > deadline: raise
        time.sleep(0.1)
hello = {"protocol": 1, "version": "dev", "mode": "run", "instance": "evil", "count": 1, "host": "algo-2",
         "digests": {}, "clock": int(time.time() * 1000), "hold": 0,
         "ended": {"code": 1, "text": "gotcha", "age": 0}}
loose = ssl.create_default_context()
loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
def post(scheme, body):
    try:
        request = urllib.request.Request(scheme + "://algo-1:7791/v1/sync", body)
        with urllib.request.urlopen(request, timeout=5, context=loose) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code
    except Exception as e:
        return type(e).__name__
mallory = dict(hello, host="mallory")
for scheme in "http", "https":
    for body in json.dumps(hello).encode(), b"rubbish", b"x" * 100000, json.dumps(mallory).encode():
        print("got", post(scheme, body))
with socket.create_connection(("algo-1", 7791), 2) as s:
    s.sendall(bytes(range(256)) * 100)
idle = []
for _ in range(1000):
    try: idle.append(socket.create_connection(("algo-1", 7791), 2))
    except OSError: break
print("idle", len(idle))
`

// stranger runs the program strangers, and checks that nothing got in.
func (h *hosts) stranger() {
	h.t.Helper()
	out := must(h.t, "docker", "run", "--rm", "--network", h.name, "--entrypoint", "python3",
		"entrain-test-example", "-c", strangers)
	if strings.Contains(out, "got 200") || !strings.Contains(out, "idle 1000") {
		h.t.Errorf("the strangers report:\n%s", out)
	}
}

// otherKey runs entrain as algo-2 with the key of another cluster, and checks that the leader refuses it.
func (h *hosts) otherKey() {
	h.t.Helper()
	out, code := run(h.t, "docker", "run", "--rm", "--network", h.name, "-v", h.dirs[1]+":/opt/ml:ro",
		"-e", "ENTRAIN_CLUSTER_KEY="+strings.Repeat("cd", 32), "--entrypoint", "/usr/local/bin/entrain",
		"entrain-test-example", "wait", "--wait-timeout", "10s")
	if code != 65 || !strings.Contains(out, "algo-1 refuses: its cluster key and the one here are different") {
		h.t.Errorf("with another key: exit code %d\n%s", code, out)
	}
}

// awaitEnds waits until some hosts have ended. It leaves their exit codes in h.ends.
func (h *hosts) awaitEnds(all ...int) {
	for _, i := range all {
		select {
		case code := <-h.ends[i-1]:
			h.ends[i-1] <- code
		case <-time.After(waitLimit):
			h.t.Errorf("%s has not ended within %s", h.host(i-1), waitLimit)
		}
	}
}

// TestCluster checks that several hosts start together and end together, whatever happens to one of them, and
// that they end within the bound of the scenario.
func TestCluster(t *testing.T) {
	image := exampleImage(t)
	for _, s := range clusterScenarios() {
		t.Run(fmt.Sprintf("%s, within %s", s.name, s.bound), func(t *testing.T) {
			t.Parallel()
			h := s.start(t, image)
			if s.stranger {
				h.stranger()
			}
			if s.act != nil {
				all := func() bool { return h.allTrain(s.n) }
				if err := until("every trainer trains", all); err != nil {
					t.Fatal(err)
				}
				s.act(h)
			}
			timeout := time.After(s.bound)
			for i := range s.codes {
				s.check(h, i, timeout)
			}
		})
	}
}

// check waits for the end of the host with the index i, and checks its exit code and the files that it wrote.
func (s *scenario) check(h *hosts, i int, timeout <-chan time.Time) {
	h.t.Helper()
	select {
	case code := <-h.ends[i]:
		if code != s.codes[i] {
			h.t.Errorf("%s: exit code %d, want %d", h.host(i), code, s.codes[i])
		}
	case <-timeout:
		h.t.Fatalf("%s has not ended within %s", h.host(i), s.bound)
	}
	want, other := s.failed[i+1]
	if !other && s.codes[i] > 0 {
		want = s.failure
	}
	failure := read(h.t, h.dirs[i], "output/failure")
	if !regexp.MustCompile("^"+want).MatchString(failure) || want == "" && failure != "" {
		h.t.Errorf("%s: the failure file says %q, want %q…", h.host(i), failure, want)
	}
	if got := read(h.t, h.dirs[i], "output/saved"); s.saved && got != "TERM\n" {
		h.t.Errorf("%s: the trainer received %q, want one SIGTERM", h.host(i), got)
	}
}
