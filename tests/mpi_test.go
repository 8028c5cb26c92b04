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

// mpiFamily is an MPI of Debian. MPICH 4.0 of Debian 12 is left out: it often hangs in MPI_Finalize, also
// with OpenSSH and without entrain.
type mpiFamily struct{ name, suite, mpirun, library string }

func mpiFamilies() []mpiFamily {
	return []mpiFamily{
		{"Open MPI 4.1", "bookworm", "mpirun.openmpi", "openmpi"},
		{"Open MPI 5.0", "trixie", "mpirun.openmpi", "openmpi"},
		{"MPICH 4.2", "trixie", "mpirun.mpich", "mpich"},
	}
}

// mpiScenario is a cluster that trains by MPI, what happens to it, and how it must end. Keys of maps are the
// numbers of hosts, which begin with 1.
type mpiScenario struct {
	name    string
	only    string // the names of the families that it is for; empty for all
	openssh bool   // the launcher uses the ssh and sshd of the image, since there is no cluster key
	slots   []int  // the slots of each host
	trainer string // its command line; ring, cpp and py are the programs of tests/mpi

	names   []string              // the names of the hosts; nil for algo-1, algo-2 and so on
	foreign bool                  // the hosts have hostnames that do not resolve
	bare    bool                  // the image has no ssh and no shell
	options []string              // options of docker run for every host
	special map[int][]string      // further options for single hosts
	late    map[int]time.Duration // delays of hosts that start late
	watch   bool                  // a shell starts entrain, and writes down the processes that entrain leaves

	launching bool            // act is called before mpirun starts, not once all ranks train
	act       func(*mpiHosts) // what happens to the cluster; nil for nothing
	early     func(*mpiHosts) // what happens as soon as the hosts start; nil for nothing
	never     bool            // no rank may train

	bound   time.Duration  // how long the hosts may take to end after the act; 0 for 20 s
	code    int            // the exit code of every host
	codes   map[int]int    // the exit codes of the hosts that have another one
	failure string         // a regular expression for the start of the failure file of each host that fails
	failed  map[int]string // the regular expressions of the hosts that have another one
	saved   []int          // the ranks that must have saved after exactly one SIGTERM
}

// Exit codes of a scenario that are not one number.
const (
	anyCode = -2
	badCode = -3 // above 0
)

// mpiHosts are the containers of an mpiScenario.
type mpiHosts struct {
	*hosts
	s      *mpiScenario
	family mpiFamily
}

// mpiImages builds the images of the MPI families once.
var mpiImages = sync.OnceValue(func() error {
	cmd := exec.Command("scripts/mpi-images")
	cmd.Dir = top
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

// needMPI skips a test if no Docker engine answers. Otherwise it builds the images of the MPI families.
func needMPI(t *testing.T) {
	t.Helper()
	needDocker(t)
	if err := mpiImages(); err != nil {
		t.Fatal(err)
	}
}

// start starts the hosts in random order, and those of late after their delays.
func (s *mpiScenario) start(t *testing.T, family mpiFamily) *mpiHosts {
	t.Helper()
	h := &mpiHosts{s: s, family: family, hosts: newHosts(t)}
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
			time.Sleep(s.late[i+1]) // the test is about this delay
			h.run(i)
		}()
	}
	return h
}

// mpiTree returns a directory with a contract of these hosts. Any user can write there.
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

// notes returns the files output/WHAT-RANK of all hosts, by rank.
func (h *mpiHosts) notes(what string) map[int]string {
	paths := map[int]string{}
	for _, dir := range h.dirs {
		notes, _ := filepath.Glob(filepath.Join(dir, "output", what+"-*"))
		for _, note := range notes {
			if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(note), what+"-")); err == nil {
				paths[n] = note
			}
		}
	}
	return paths
}

// total returns the number of ranks.
func (h *mpiHosts) total() int {
	n := 0
	for _, slots := range h.s.slots {
		n += slots
	}
	return n
}

// await waits until it is time for the act of the scenario.
func (h *mpiHosts) await() {
	h.t.Helper()
	if h.s.launching {
		eventually(h.t, "mpirun is about to start", func() bool {
			return read(h.t, h.dirs[0], "output/launching") != ""
		})
		return
	}
	allTrain := func() bool { return len(h.notes("rank")) == h.total() }
	hostEnded := func() bool {
		return slices.ContainsFunc(h.ends, func(end chan int) bool { return len(end) > 0 })
	}
	for deadline := time.Now().Add(time.Minute); !allTrain(); time.Sleep(20 * time.Millisecond) {
		if ended := hostEnded(); ended && !allTrain() || time.Now().After(deadline) {
			ranks := slices.Sorted(maps.Keys(h.notes("rank")))
			h.t.Fatalf("only the ranks %v train\n%s", ranks, h.processes())
		}
	}
	h.checkRanks()
}

// processes returns the processes of all hosts, as docker top lists them.
func (h *mpiHosts) processes() string {
	var text strings.Builder
	for i, name := range h.s.names {
		out, _ := exec.Command("docker", "top", h.container(i)).CombinedOutput()
		fmt.Fprintf(&text, "on %s:\n%s", name, out)
	}
	return text.String()
}

// check waits until all hosts have ended, and compares the ends with the scenario.
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
			h.t.Errorf("rank %d has not saved after exactly one SIGTERM: %v", rank, saved)
		}
	}
}

// checkEnd compares the exit code and the files of the host with the index i with the scenario.
func (h *mpiHosts) checkEnd(i, code int) {
	s, name := h.s, h.s.names[i]
	want, other := s.codes[i+1]
	if !other {
		want = s.code
	}
	if code != want && want != anyCode && (want != badCode || code <= 0) {
		h.t.Errorf("%s: exit code %d, want %d", name, code, want)
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
		h.t.Errorf("%s: entrain left the processes %q", name, left)
	}
}
