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

// hosts are containers on a Docker network of their own, with names that Docker's DNS gives.
type hosts struct {
	t    *testing.T
	name string // of the network, and before each container's
	dirs []string
	ends []chan int // each host's exit code
}

// scenario is a cluster and what happens to it.
type scenario struct {
	name  string
	bound time.Duration // from the last start to the last end
	n     int
	flags []string // of every host
	key   bool
	late  map[int]time.Duration // hosts that start later; -1 s for never
	// script is the trainer of every host, scripts of one that differs; host i is algo-i.
	script   string
	scripts  map[int]string
	stranger bool                    // somebody who is no host tries to get in before all are there, too
	other    int                     // a host whose image has another command
	spoil    func(dir string, i int) // changes a host's contract
	act      func(*hosts)            // once all trainers say that they train; nil if none should get there
	codes    []int                   // of algo-1 …; -1 for one that says nothing more
	failure  string                  // how every failure file begins: a regular expression
	failed   map[int]string          // or that of one host
	saved    bool                    // every trainer must have had one SIGTERM
}

const (
	trains   = `echo training > /opt/ml/output/trains; exec sleep 600`
	finishes = `echo training > /opt/ml/output/trains; exit 0`
	saves    = `trap 'echo TERM >> /opt/ml/output/saved; saving=1' TERM; echo training > /opt/ml/output/trains; while [ -z "$saving" ]; do sleep 0.1; done; sleep 1`
)

func (s *scenario) start(t *testing.T, image string) *hosts {
	t.Helper()
	h := &hosts{t: t, name: fmt.Sprintf("entrain-test-%d-%d", os.Getpid(), rand.N(1<<30))}
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
		if late := s.late[i+1]; late == 0 {
			h.run(s, image, i)
		} else if late > 0 {
			go func() {
				time.Sleep(late) // the delay is what is tried
				h.run(s, image, i)
			}()
		} else {
			h.ends[i] <- -1
		}
	}
	return h
}

func (h *hosts) host(i int) string      { return "algo-" + strconv.Itoa(i+1) }
func (h *hosts) container(i int) string { return h.name + "-" + h.host(i) }

func (h *hosts) run(s *scenario, image string, i int) {
	command := "/opt/ml/trainer"
	if i+1 == s.other {
		command = "/opt/ml/../ml/trainer"
	}
	argv := []string{
		"run", "-d", "--name", h.container(i), "--network", h.name, "--network-alias", h.host(i), "--hostname", h.host(i),
		"-v", h.dirs[i] + ":/opt/ml", "-e", "TRAINING_JOB_NAME=job-1", "--entrypoint", "/usr/local/bin/entrain",
	}
	if s.key {
		argv = append(argv, "-e", "ENTRAIN_CLUSTER_KEY="+strings.Repeat("ab", 32))
	}
	env, err := os.ReadFile(filepath.Join(h.dirs[i], "env"))
	if err == nil {
		argv = append(argv, "-e", string(env))
	}
	argv = append(argv, image, "run", "--args-style", "none", "--peer-timeout", "6s")
	argv = append(append(argv, s.flags...), "--", "sh", command)
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

func (h *hosts) clean(n int) {
	for i := range n {
		if h.t.Failed() {
			out, _ := exec.Command("docker", "logs", h.container(i)).CombinedOutput()
			h.t.Logf("%s said:\n%s", h.host(i), out)
		}
		_ = exec.Command("docker", "rm", "-f", h.container(i)).Run()
	}
	_ = exec.Command("docker", "network", "rm", h.name).Run()
}

// docker does something to a host.
func (h *hosts) docker(verb string, i int, before ...string) {
	h.t.Helper()
	must(h.t, append(append([]string{"docker"}, strings.Fields(verb)...), append(before, h.container(i-1))...)...)
}

// train says whether every trainer has said that it trains.
func (h *hosts) train(n int) bool {
	for i := range n {
		if _, err := os.Stat(filepath.Join(h.dirs[i], "output/trains")); err != nil {
			return false
		}
	}
	return true
}

func clusterScenarios() []scenario {
	badParams := func(host int) func(string, int) {
		return func(dir string, i int) {
			if i+1 == host {
				_ = os.WriteFile(filepath.Join(dir, "input/config/hyperparameters.json"), []byte(`["lr"]`), 0o644)
			}
		}
	}
	return []scenario{
		{name: "all is well, random order", bound: 10 * time.Second, n: 4, script: finishes, codes: []int{0, 0, 0, 0}},
		{name: "with a key", bound: 10 * time.Second, n: 3, key: true, script: finishes, codes: []int{0, 0, 0}},
		{name: "one comes 20 s late", bound: 35 * time.Second, n: 3, late: map[int]time.Duration{2: 20 * time.Second}, script: finishes, codes: []int{0, 0, 0}},
		{
			name: "one never comes", bound: 20 * time.Second, n: 3, flags: []string{"--wait-timeout", "5s"}, late: map[int]time.Duration{3: -1},
			script: trains, codes: []int{69, 69, -1}, failure: "(algo-.: )?waiting for host names: 1 of 3 hosts missing after 5s: algo-3",
		},
		{
			name: "a worker's contract is invalid", bound: 20 * time.Second, n: 3, spoil: badParams(2), script: trains,
			codes: []int{65, 65, 65}, failure: "algo-2: hyperparameters.json:1:1: the document is a list, expected an object", failed: map[int]string{2: "hyperparameters.json:1:1: the document is a list, expected an object"},
		},
		{
			name: "the leader's contract is invalid, a worker comes late", bound: 25 * time.Second, n: 3, spoil: badParams(1), script: trains, late: map[int]time.Duration{3: 5 * time.Second},
			codes: []int{65, 65, 65}, failure: "algo-1: hyperparameters.json:1:1: the document is a list, expected an object", failed: map[int]string{1: "hyperparameters.json:1:1: the document is a list, expected an object"},
		},
		{
			name: "one exits 7", bound: 15 * time.Second, n: 3, script: trains,
			scripts: map[int]string{2: "echo training > /opt/ml/output/trains; while ! [ -e /opt/ml/go ]; do sleep 0.1; done; echo RuntimeError: no luck >&2; exit 7"},
			act:     func(h *hosts) { h.release(2) },
			codes:   []int{7, 7, 7}, failure: "algo-2: exit code 7: RuntimeError: no luck", failed: map[int]string{2: "RuntimeError: no luck\nsh: exit code 7"},
		},
		{
			name: "a worker is killed", bound: 20 * time.Second, n: 3, script: trains, act: func(h *hosts) { h.docker("kill", 3) },
			codes: []int{69, 69, 137}, failure: "algo-3: lost: ", failed: map[int]string{3: ""},
		},
		{
			name: "the leader is killed", bound: 20 * time.Second, n: 3, script: trains, act: func(h *hosts) { h.docker("kill", 1) },
			codes: []int{137, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{1: ""},
		},
		{
			name: "a worker is paused", bound: 25 * time.Second, n: 3, script: trains,
			act: func(h *hosts) {
				h.docker("pause", 2)
				h.ended(1, 3)
				h.docker("unpause", 2)
			},
			codes: []int{69, 69, 69}, failure: "algo-2: lost: ", failed: map[int]string{2: "algo-1: lost: "},
		},
		{
			name: "a worker is cut off", bound: 25 * time.Second, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("network disconnect", 3, h.name) },
			codes: []int{69, 69, 69}, failure: "algo-3: lost: ", failed: map[int]string{3: "algo-1: lost: "},
		},
		{
			name: "the leader is cut off", bound: 25 * time.Second, n: 3, script: trains,
			act:   func(h *hosts) { h.docker("network disconnect", 1, h.name) },
			codes: []int{69, 69, 69}, failure: "algo-1: lost: ", failed: map[int]string{1: "algo-"},
		},
		{
			name: "docker stop on a worker", bound: 20 * time.Second, n: 3, script: saves, act: func(h *hosts) { h.docker("stop", 2) },
			codes: []int{0, 0, 0}, saved: true,
		},
		{
			name: "docker stop on the leader", bound: 20 * time.Second, n: 3, script: saves, act: func(h *hosts) { h.docker("stop", 1) },
			codes: []int{0, 0, 0}, saved: true,
		},
		{
			name: "strangers at a cluster with a key", bound: 30 * time.Second, n: 3, key: true, script: "echo training > /opt/ml/output/trains; while ! [ -e /opt/ml/go ]; do sleep 0.1; done",
			late: map[int]time.Duration{3: 3 * time.Second}, stranger: true,
			act:   func(h *hosts) { h.stranger(); h.otherKey(); h.release(1); h.release(2); h.release(3) },
			codes: []int{0, 0, 0},
		},
		{
			name: "strangers at a cluster without one", bound: 30 * time.Second, n: 3, script: "echo training > /opt/ml/output/trains; while ! [ -e /opt/ml/go ]; do sleep 0.1; done",
			late: map[int]time.Duration{3: 3 * time.Second}, stranger: true,
			act:   func(h *hosts) { h.stranger(); h.release(1); h.release(2); h.release(3) },
			codes: []int{0, 0, 0},
		},
		{
			name: "two commands", bound: 15 * time.Second, n: 2, script: trains, other: 2,
			codes: []int{65, 65}, failure: "algo-2: command differs: it is ", failed: map[int]string{2: "algo-1 refuses: command differs: it is "},
		},
		{
			name: "a failure elsewhere is ignored", bound: 15 * time.Second, n: 3, flags: []string{"--on-peer-failure", "ignore"}, script: trains,
			scripts: map[int]string{2: "exit 7", 1: "sleep 2", 3: "sleep 3"},
			codes:   []int{0, 7, 0}, failed: map[int]string{2: "sh: exit code 7"},
		},
	}
}

// release lets a trainer that waits for it go on.
func (h *hosts) release(i int) {
	if err := os.WriteFile(filepath.Join(h.dirs[i-1], "go"), nil, 0o644); err != nil {
		h.t.Error(err)
	}
}

// strangers is a Python program that tries to get in, in all the ways it can think of, from a host of its own. It
// prints what it got.
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
         "digests": {}, "clock": int(time.time() * 1000), "hold": 0, "ended": {"code": 1, "text": "gotcha", "age": 0}}
loose = ssl.create_default_context()
loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
def post(scheme, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(scheme + "://algo-1:7791/v1/sync", body), timeout=5, context=loose) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code
    except Exception as e:
        return type(e).__name__
for scheme in "http", "https":
    for body in json.dumps(hello).encode(), b"rubbish", b"x" * 100000, json.dumps(dict(hello, host="mallory")).encode():
        print("got", post(scheme, body))
with socket.create_connection(("algo-1", 7791), 2) as s:
    s.sendall(bytes(range(256)) * 100)
idle = []
for _ in range(1000):
    try: idle.append(socket.create_connection(("algo-1", 7791), 2))
    except OSError: break
print("idle", len(idle))
`

// stranger runs them, and makes sure that none got in.
func (h *hosts) stranger() {
	h.t.Helper()
	out := must(h.t, "docker", "run", "--rm", "--network", h.name, "--entrypoint", "python3", "entrain-test-example", "-c", strangers)
	if strings.Contains(out, "got 200") || !strings.Contains(out, "idle 1000") {
		h.t.Errorf("the strangers report:\n%s", out)
	}
}

// otherKey is entrain itself, which says that it is algo-2 and has another cluster's key.
func (h *hosts) otherKey() {
	h.t.Helper()
	out, code := run(h.t, "docker", "run", "--rm", "--network", h.name, "-v", h.dirs[1]+":/opt/ml:ro", "-e", "ENTRAIN_CLUSTER_KEY="+strings.Repeat("cd", 32),
		"--entrypoint", "/usr/local/bin/entrain", "entrain-test-example", "wait", "--wait-timeout", "10s")
	if code != 65 || !strings.Contains(out, "algo-1 refuses: its cluster key and the one here are different") {
		h.t.Errorf("with another key: exit code %d\n%s", code, out)
	}
}

// ended waits for the ends of some hosts, and keeps them for the one who looks at them.
func (h *hosts) ended(all ...int) {
	for _, i := range all {
		select {
		case code := <-h.ends[i-1]:
			h.ends[i-1] <- code
		case <-time.After(patience):
			h.t.Errorf("%s has not ended within %s", h.host(i-1), patience)
		}
	}
}

// TestCluster: several hosts start together and end together, whatever happens to one of them. Each case has the time in
// which all must have ended.
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
				all := func() bool { return h.train(s.n) }
				if err := until("every trainer trains", all); err != nil {
					t.Fatal(err)
				}
				s.act(h)
			}
			timeout := time.After(s.bound)
			for i, want := range s.codes {
				select {
				case code := <-h.ends[i]:
					if code != want {
						t.Errorf("%s ended with %d, want %d", h.host(i), code, want)
					}
				case <-timeout:
					t.Fatalf("%s has not ended", h.host(i))
				}
				want, other := s.failed[i+1]
				if !other && s.codes[i] > 0 {
					want = s.failure
				}
				got := read(t, h.dirs[i], "output/failure")
				if !regexp.MustCompile("^"+want).MatchString(got) || want == "" && got != "" {
					t.Errorf("%s: the failure file says %q, want %q…", h.host(i), got, want)
				}
				if got := read(t, h.dirs[i], "output/saved"); s.saved && got != "TERM\n" {
					t.Errorf("%s: the trainer was sent %q, want one SIGTERM", h.host(i), got)
				}
			}
		})
	}
}
