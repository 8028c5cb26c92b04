// Package hosts holds the scenarios of several hosts that need no container engine: network namespaces of this machine, each
// with a root of its own where it matters, and real processes in them. A scenario takes seconds.
package hosts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const top = "../.." // the repository

// patience is how long a test waits for what must happen, on a busy machine.
const patience = "30s"

// lab is hosts with a network between them. The bridge is in a namespace of its own: on the machine's own, the packet filter of
// a container engine drops what crosses it. All of it vanishes with the test's process: nothing has a name on the machine.
type lab struct {
	t      *testing.T
	bridge *space
	hosts  []*host
}

// host is one of them, algo-1 and so on.
type host struct {
	*space
	lab  *lab
	name string
	dir  string // on the machine: ml is its /opt/ml, tmp its /tmp
	job  *job   // the last that was started
}

// space is a process that holds namespaces.
type space struct{ holder *exec.Cmd }

// newLab makes n hosts, or skips the test where that cannot be, with the reason.
func newLab(t *testing.T, n int) *lab {
	t.Helper()
	need(t)
	l := &lab{t: t, bridge: hold(t, nil, "ip link add br0 type bridge && ip link set br0 up && ip link set lo up")}
	var names strings.Builder
	names.WriteString("127.0.0.1 localhost\n")
	for i := range n {
		fmt.Fprintf(&names, "10.77.0.%d algo-%d\n", i+1, i+1)
	}
	for i := range n {
		l.hosts = append(l.hosts, l.add(i, n, names.String()))
	}
	t.Cleanup(l.tell)
	return l
}

// add makes a host: its directories, its namespaces and its cable.
func (l *lab) add(i, n int, names string) *host {
	l.t.Helper()
	h := &host{lab: l, name: "algo-" + strconv.Itoa(i+1), dir: l.t.TempDir()}
	must(l.t, program(), "scaffold", "--hosts", strconv.Itoa(n), "--current-host", h.name, filepath.Join(h.dir, "ml"))
	if err := os.Mkdir(filepath.Join(h.dir, "tmp"), 0o755); err != nil {
		l.t.Fatal(err)
	}
	h.write("hosts", names)
	h.write("resolv.conf", "# none\n")
	h.space = hold(l.t, h.dir, setUp, tools(), h.name)
	cable := []string{"ip", "link", "add", h.port(), "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(h.pid())}
	must(l.t, l.bridge.in(cable...)...)
	must(l.t, l.bridge.in("ip", "link", "set", h.port(), "master", "br0", "up")...)
	must(l.t, h.in("sh", "-c", fmt.Sprintf("ip addr add 10.77.0.%d/24 dev eth0 && ip link set eth0 up && ip link set lo up", i+1))...)
	return h
}

// setUp is a host's root: the machine's programs, and its own of what a container has of its own.
const setUp = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /opt && mkdir /opt/ml /opt/bin /opt/cover &&
mount --bind ml /opt/ml && mount --bind "$0" /opt/bin && mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
if [ -n "$GOCOVERDIR" ]; then mount --bind "$GOCOVERDIR" /opt/cover; fi && hostname "$1" && mount --bind tmp /tmp`

// hold makes namespaces and runs a script in them; what it leaves behind is there until the test ends.
func hold(t *testing.T, where any, script string, words ...string) *space {
	t.Helper()
	argv := append([]string{"--net", "--mount", "--uts", "--ipc", "sh", "-c", script + " && echo ready && exec sleep infinity"}, words...)
	cmd := exec.Command("unshare", argv...)
	cmd.Dir, _ = where.(string)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said text
	cmd.Stderr, cmd.Stdout = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := said.wait("ready"); err != nil {
		t.Fatalf("namespaces: %v", err)
	}
	return &space{cmd}
}

func (s *space) pid() int { return s.holder.Process.Pid }

// in gives the words that run others in the namespaces.
func (s *space) in(words ...string) []string {
	return append([]string{"nsenter", "-t", strconv.Itoa(s.pid()), "--net", "--mount", "--uts", "--ipc", "--"}, words...)
}

// need skips a test where there can be no such hosts, unless REQUIRE_DOCKER=1, which takes no skip.
func need(t *testing.T) {
	t.Helper()
	err := build()
	if err == nil {
		return
	}
	if _, missing := errors.AsType[*missingError](err); missing && os.Getenv("REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// needProgram skips a test where the machine lacks a program of others.
func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skipf("no %s: scripts/test installs it", name)
	}
}

// missingError is the error of a machine that lacks something.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }

// build makes /opt/bin of every host once: the program, and this test as all that stands in for something.
var build = sync.OnceValue(func() error {
	if os.Geteuid() != 0 {
		return &missingError{"not root: hosts are network namespaces, which only root can make"}
	}
	for _, name := range []string{"ip", "iptables", "unshare", "nsenter"} {
		if _, err := exec.LookPath(name); err != nil {
			return &missingError{"no " + name + ": hosts are network namespaces"}
		}
	}
	if out, err := exec.Command("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		return &missingError{fmt.Sprintf("no namespaces here: %v: %s", err, out)}
	}
	argv := []string{"build", "-tags", "urfave_cli_no_docs,nethttpomithttp2", "-o", program()}
	if os.Getenv("GOCOVERDIR") != "" {
		argv = append(argv, "-cover", "-coverpkg=./...")
	}
	cmd := exec.Command("go", append(argv, ".")...)
	cmd.Dir, cmd.Env = top, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building entrain: %w\n%s", err, out)
	}
	self, err := os.Executable()
	err = errors.Join(err, os.Mkdir(filepath.Join(tools(), "standin"), 0o755))
	for _, name := range []string{"standin/mpirun", "standin/orted", "peer"} {
		err = errors.Join(err, exec.Command("cp", self, filepath.Join(tools(), name)).Run())
	}
	return err
})

// toolsDir is removed when all tests have ended.
var toolsDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "entrain-hosts-")
	if err != nil {
		return os.TempDir()
	}
	return dir
})

func tools() string   { return toolsDir() }
func program() string { return filepath.Join(tools(), "entrain") }

func must(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

func (h *host) write(name, text string) {
	h.lab.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644); err != nil {
		h.lab.t.Fatal(err)
	}
}

// read is a file of a host; empty where there is none.
func (h *host) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(h.dir, name))
	return string(data)
}

// port is a host's cable, at the bridge.
func (h *host) port() string { return "port-" + h.name }

// cut and heal take a host's cable out, and put it back: nothing that is sent arrives, and nobody is told.
func (h *host) cut()  { must(h.lab.t, h.lab.bridge.in("ip", "link", "set", h.port(), "down")...) }
func (h *host) heal() { must(h.lab.t, h.lab.bridge.in("ip", "link", "set", h.port(), "up")...) }

// drop loses what comes for a port of a host, in a part of the cases; allow ends that.
func (h *host) drop(port int, part float64)  { h.filter("-A", port, part) }
func (h *host) allow(port int, part float64) { h.filter("-D", port, part) }

func (h *host) filter(do string, port int, part float64) {
	argv := []string{"iptables", "-w", do, "INPUT", "-p", "tcp", "--dport", strconv.Itoa(port), "-j", "DROP"}
	if part < 1 {
		argv = append(argv, "-m", "statistic", "--mode", "random", "--probability", strconv.FormatFloat(part, 'f', -1, 64))
	}
	must(h.lab.t, h.in(argv...)...)
}

// tell shows what the hosts said, of a test that has failed.
func (l *lab) tell() {
	for _, h := range l.hosts {
		if h.job != nil {
			h.job.stop()
			if l.t.Failed() {
				l.t.Logf("%s ended with %d and said:\n%s", h.name, h.job.code, h.job.said.String())
			}
		}
	}
}
