// Package hosts tests clusters of several hosts without a container engine. A host is a set of namespaces
// on this machine: it has its own network, its own mounts below /opt, /run and /tmp, and real processes.
// A scenario takes seconds.
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

const repository = "../.." // the repository

// testTimeout is the time after which a test gives up. It is long enough for a busy machine.
const testTimeout = "30s"

// lab is a set of hosts with a network between them. The bridge is in a namespace of its own, because a
// container engine on this machine may filter the packets on a bridge outside. Everything vanishes with
// the test's process, because nothing has a name on the machine.
type lab struct {
	t      *testing.T
	bridge *namespaces
	hosts  []*host
}

// host is one host: algo-1, algo-2, and so on.
type host struct {
	*namespaces
	lab  *lab
	name string
	dir  string // its directory on the machine: ml is its /opt/ml, tmp is its /tmp
	job  *job   // the last job that was started

	limit string // a shell command that limits the processes of the next job
}

// namespaces are held by a process.
type namespaces struct{ holder *exec.Cmd }

// newLab makes n hosts. It skips the test if this machine cannot have them.
func newLab(t *testing.T, n int) *lab {
	t.Helper()
	needNamespaces(t)
	const bridge = "ip link add br0 type bridge && ip link set br0 up && ip link set lo up"
	l := &lab{t: t, bridge: holdNamespaces(t, "", bridge)}
	var names strings.Builder
	names.WriteString("127.0.0.1 localhost\n")
	for i := range n {
		fmt.Fprintf(&names, "10.77.0.%d algo-%d\n", i+1, i+1)
	}
	for i := range n {
		l.hosts = append(l.hosts, l.add(i, n, names.String()))
	}
	t.Cleanup(l.logHosts)
	return l
}

// add makes a host: its directories, its namespaces, and its cable to the bridge.
func (l *lab) add(i, n int, names string) *host {
	l.t.Helper()
	h := &host{lab: l, name: "algo-" + strconv.Itoa(i+1), dir: l.t.TempDir()}
	ml := filepath.Join(h.dir, "ml")
	must(l.t, program(), "scaffold", "--hosts", strconv.Itoa(n), "--current-host", h.name, ml)
	if err := os.Mkdir(filepath.Join(h.dir, "tmp"), 0o755); err != nil {
		l.t.Fatal(err)
	}
	h.write("hosts", names)
	h.write("resolv.conf", "# none\n")
	h.namespaces = holdNamespaces(l.t, h.dir, setUp, tools(), h.name)
	pid, number := strconv.Itoa(h.pid()), strconv.Itoa(i+1)
	cable := []string{"ip", "link", "add", h.port(), "type", "veth", "peer", "name", "eth0", "netns", pid}
	must(l.t, l.bridge.in(cable...)...)
	must(l.t, l.bridge.in("ip", "link", "set", h.port(), "master", "br0", "up")...)
	const address = `ip addr add "10.77.0.$0/24" dev eth0 && ip link set eth0 up && ip link set lo up`
	must(l.t, h.in("sh", "-c", address, number)...)
	return h
}

// setUp is a shell script that mounts the root of a host: the programs of the machine, and its own
// directories and files where a container has its own. $0 is the directory of tools, and $1 the name of
// the host.
const setUp = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /opt &&
mkdir /opt/ml /opt/bin /opt/cover && mount --bind ml /opt/ml && mount --bind "$0" /opt/bin &&
mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
if [ -n "$GOCOVERDIR" ]; then mount --bind "$GOCOVERDIR" /opt/cover; fi &&
hostname "$1" && mount --bind tmp /tmp`

// holdNamespaces makes namespaces and runs a script in them, in a directory unless that is "". The words
// are the arguments of the script. The namespaces last until the test ends.
func holdNamespaces(t *testing.T, dir, script string, words ...string) *namespaces {
	t.Helper()
	script += " && echo ready && exec sleep infinity"
	argv := append([]string{"--net", "--mount", "--uts", "--ipc", "sh", "-c", script}, words...)
	cmd := exec.Command("unshare", argv...)
	cmd.Dir = dir
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
	return &namespaces{cmd}
}

func (s *namespaces) pid() int { return s.holder.Process.Pid }

// in returns the command that runs another command in the namespaces.
func (s *namespaces) in(words ...string) []string {
	enter := []string{"nsenter", "-t", strconv.Itoa(s.pid()), "--net", "--mount", "--uts", "--ipc", "--"}
	return append(enter, words...)
}

// needNamespaces skips a test if this machine cannot have hosts. With REQUIRE_DOCKER=1 the test fails
// instead.
func needNamespaces(t *testing.T) {
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

// needProgram skips a test if the machine lacks a program. With REQUIRE_DOCKER=1 the test fails instead.
func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skipf("no %s: scripts/test installs it", name)
	}
}

// missingError says what this machine lacks for the tests.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }

// build makes the directory that every host mounts as /opt/bin: entrain, and the test binary under the
// names of the programs for which it stands in. It runs once.
var build = sync.OnceValue(func() error {
	if os.Geteuid() != 0 {
		return &missingError{"not root: hosts are network namespaces, which only root can make"}
	}
	for _, name := range []string{"ip", "iptables", "unshare", "nsenter"} {
		if _, err := exec.LookPath(name); err != nil {
			return &missingError{"no " + name + ": hosts are network namespaces"}
		}
	}
	try := exec.Command("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "true")
	if out, err := try.CombinedOutput(); err != nil {
		return &missingError{fmt.Sprintf("no namespaces here: %v: %s", err, out)}
	}
	argv := []string{"build", "-tags", "urfave_cli_no_docs,nethttpomithttp2", "-o", program()}
	if os.Getenv("GOCOVERDIR") != "" {
		argv = append(argv, "-cover", "-coverpkg=./...")
	}
	cmd := exec.Command("go", append(argv, ".")...)
	cmd.Dir, cmd.Env = repository, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building entrain: %w\n%s", err, out)
	}
	self, err := os.Executable()
	err = errors.Join(err, os.Mkdir(filepath.Join(tools(), "standin"), 0o755))
	names := []string{"standin/mpirun", "standin/orted", "peer", "environ", "gloo", "ddp", "attack"}
	for _, name := range names {
		err = errors.Join(err, exec.Command("cp", self, filepath.Join(tools(), name)).Run())
	}
	return err
})

// toolsDir makes the directory of tools. TestMain removes it at the end.
var toolsDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "entrain-hosts-")
	if err != nil {
		return os.TempDir()
	}
	return dir
})

func tools() string   { return toolsDir() }
func program() string { return filepath.Join(tools(), "entrain") }

// must runs a command and returns its output. The test ends if the command fails.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// logHosts stops all jobs, and logs their output if the test has failed.
func (l *lab) logHosts() {
	for _, h := range l.hosts {
		if h.job != nil {
			h.job.stop()
			if l.t.Failed() {
				l.t.Logf("%s ended with %d and said:\n%s", h.name, h.job.code, h.job.said.String())
			}
		}
	}
}
