package tests

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// mpiFamily is an MPI as Debian has it. MPICH 4.0 of Debian 12 is none: it often hangs in MPI_Finalize, with OpenSSH and
// without entrain, too.
type mpiFamily struct{ name, suite, mpirun, library string }

func mpiFamilies() []mpiFamily {
	return []mpiFamily{
		{"Open MPI 4.1", "bookworm", "mpirun.openmpi", "openmpi"},
		{"Open MPI 5.0", "trixie", "mpirun.openmpi", "openmpi"},
		{"MPICH 4.2", "trixie", "mpirun.mpich", "mpich"},
	}
}

// mpiScenario is a cluster that trains by MPI, and what happens to it. Hosts are counted from 1.
type mpiScenario struct {
	name    string
	only    string // the families; all without one
	openssh bool   // no cluster key: the image's own ssh and sshd
	slots   []int  // of each host
	trainer string // its words; ring, cpp and py are the programs of tests/mpi

	names   []string // of the hosts, where they are not algo-1 …
	foreign bool     // hostnames that nobody can resolve
	bare    bool     // an image without ssh and shell
	options []string // of docker run on every host
	special map[int][]string
	late    map[int]time.Duration
	watch   bool // entrain is a child of a shell, which looks at what it leaves behind

	launching bool            // the act comes before mpirun has started, not once all ranks train
	act       func(*mpiHosts) // nil where nothing has to happen
	early     func(*mpiHosts) // at once
	never     bool            // none gets to train

	bound   time.Duration  // from the act to the last end; 20 s
	code    int            // of every host
	codes   map[int]int    // of one that differs
	failure string         // how every failure file begins: a regular expression
	failed  map[int]string // or that of one host
	saved   []int          // the ranks that must have had a SIGTERM and saved
}

// Codes that a scenario leaves open.
const (
	anyCode = -2
	badCode = -3 // anything but 0
)

type mpiHosts struct {
	*hosts
	s      *mpiScenario
	family mpiFamily
}

// mpiImages makes them once.
var mpiImages = sync.OnceValue(func() error {
	cmd := exec.Command("scripts/mpi-images")
	cmd.Dir = top
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

func needMPI(t *testing.T) {
	t.Helper()
	needDocker(t)
	if err := mpiImages(); err != nil {
		t.Fatal(err)
	}
}

func (s *mpiScenario) start(t *testing.T, family mpiFamily) *mpiHosts {
	t.Helper()
	h := &mpiHosts{s: s, family: family, hosts: &hosts{t: t, name: fmt.Sprintf("entrain-test-%d-%d", os.Getpid(), rand.N(1<<30))}}
	if s.names == nil {
		for i := range s.slots {
			s.names = append(s.names, h.host(i))
		}
	}
	must(t, "docker", "network", "create", h.name)
	t.Cleanup(func() { h.clean(len(s.slots)) })
	for _, name := range s.names {
		h.dirs = append(h.dirs, mpiTree(t, s.names, name))
		h.ends = append(h.ends, make(chan int, 1))
	}
	for _, i := range rand.Perm(len(s.slots)) {
		if s.late[i+1] == 0 {
			h.run(i)
			continue
		}
		go func() {
			time.Sleep(s.late[i+1]) // the delay is what is tried
			h.run(i)
		}()
	}
	return h
}

// mpiTree is a contract of these hosts, which any user can write to.
func mpiTree(t *testing.T, names []string, current string) string {
	t.Helper()
	dir := tree(t, "--hosts", strconv.Itoa(len(names)))
	path := filepath.Join(dir, "input/config/resourceconfig.json")
	var config map[string]any
	if err := json.Unmarshal([]byte(read(t, path)), &config); err != nil {
		t.Fatal(err)
	}
	config["hosts"], config["current_host"] = names, current
	delete(config, "instance_groups")
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "chmod", "-R", "a+rwX", filepath.Dir(dir))
	return dir
}

// notes are files that ranks have left on their own hosts.
func (h *mpiHosts) notes(what string) map[int]string {
	at := map[int]string{}
	for _, dir := range h.dirs {
		notes, _ := filepath.Glob(filepath.Join(dir, "output", what+"-*"))
		for _, note := range notes {
			if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(note), what+"-")); err == nil {
				at[n] = note
			}
		}
	}
	return at
}

func (h *mpiHosts) total() int {
	n := 0
	for _, slots := range h.s.slots {
		n += slots
	}
	return n
}

// await waits until it is time for the act.
func (h *mpiHosts) await() {
	h.t.Helper()
	if h.s.launching {
		eventually(h.t, "mpirun is about to start", func() bool { return read(h.t, h.dirs[0], "output/launching") != "" })
		return
	}
	there := func() bool { return len(h.notes("rank")) == h.total() }
	early := func() bool { return slices.ContainsFunc(h.ends, func(end chan int) bool { return len(end) > 0 }) }
	for deadline := time.Now().Add(time.Minute); !there(); time.Sleep(20 * time.Millisecond) {
		if gone := early(); gone && !there() || time.Now().After(deadline) {
			h.t.Fatalf("only ranks %v are there\n%s", slices.Sorted(maps.Keys(h.notes("rank"))), h.processes())
		}
	}
	h.checkRanks()
}

// processes is what is at work on all hosts.
func (h *mpiHosts) processes() string {
	var text strings.Builder
	for i, name := range h.s.names {
		out, _ := exec.Command("docker", "top", h.container(i)).CombinedOutput()
		fmt.Fprintf(&text, "on %s:\n%s", name, out)
	}
	return text.String()
}

// check waits for the ends and holds them against what the scenario wants.
func (h *mpiHosts) check() {
	s, bound := h.s, h.s.bound
	if bound == 0 {
		bound = 20 * time.Second
	}
	timeout := time.After(bound)
	for i, name := range s.names {
		select {
		case code := <-h.ends[i]:
			h.checkEnd(i, code)
		case <-timeout:
			h.t.Fatalf("%s has not ended within %s\n%s", name, bound, h.processes())
		}
	}
	saved := h.notes("saved")
	for _, rank := range s.saved {
		if saved[rank] == "" || read(h.t, saved[rank]) != "TERM\n" {
			h.t.Errorf("rank %d has not saved after a SIGTERM of its own: %v", rank, saved)
		}
	}
}

func (h *mpiHosts) checkEnd(i, code int) {
	s, name := h.s, h.s.names[i]
	want, other := s.codes[i+1]
	if !other {
		want = s.code
	}
	if code != want && want != anyCode && (want != badCode || code <= 0) {
		h.t.Errorf("%s ended with %d, want %d", name, code, want)
	}
	text, other := s.failed[i+1]
	if !other && want != 0 && want != anyCode {
		text = s.failure
	}
	got := read(h.t, h.dirs[i], "output/failure")
	if !regexp.MustCompile("^"+text).MatchString(got) || want == 0 && got != "" {
		h.t.Errorf("%s: the failure file says %q, want %q…", name, got, text)
	}
	if left := read(h.t, h.dirs[i], "output/left"); s.watch && left != "" {
		h.t.Errorf("%s: entrain left behind %q", name, left)
	}
}
