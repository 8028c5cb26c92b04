package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const testTimeout = 20 * time.Second // for an event that must happen, on a busy machine

// TestMain runs the tests. With the argument rsh, the test binary is an rsh.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "rsh" {
		code, err := Rsh(os.Args[2], os.Args[3:], os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// network is a set of hosts on loopback addresses of this machine: hN is at 127.2.0.N. All use one port.
type network struct {
	hosts  []string
	port   int
	change func(*Config) // changes the configuration of hosts that are made later

	mu      sync.Mutex
	warns   []string
	running map[int]string // the commands that run, by pid
}

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}) }

func lookup(_ context.Context, host string) ([]netip.Addr, error) {
	var i int
	if _, err := fmt.Sscanf(host, "h%d", &i); err != nil {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{address(i)}, nil
}

func newNetwork(tb testing.TB, n int) *network {
	tb.Helper()
	w := &network{change: func(*Config) {}, running: map[int]string{}}
	for i := range n {
		w.hosts = append(w.hosts, fmt.Sprintf("h%d", i))
	}
	l, err := net.Listen("tcp", "127.2.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	return w
}

func (n *network) config(i int) Config {
	c := Config{
		Self: n.hosts[i], Hosts: n.hosts, KeyPair: pairsOf("s"), Diagnose: diagnoseDial, Port: n.port,
		PeerTimeout: 30 * time.Second, Lookup: lookup, Start: n.start,
		Warn: func(text string) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.warns = append(n.warns, text)
		},
		local: &net.TCPAddr{IP: address(i).AsSlice()},
	}
	n.change(&c)
	return c
}

func (n *network) hasWarned(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(strings.Join(n.warns, "\n"), text)
}

// start starts a command with a shell, in a process group of its own. It refuses the command "refuse".
func (n *network) start(words []string, files [3]*os.File, ended func(int)) (func(), error) {
	line := strings.Join(words, " ")
	if strings.HasPrefix(line, "refuse") {
		return nil, fmt.Errorf("%q: expected a launcher's daemon", line)
	}
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.running[cmd.Process.Pid] = line
	n.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		n.mu.Lock()
		delete(n.running, cmd.Process.Pid)
		n.mu.Unlock()
		state := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if state.Signaled() {
			ended(128 + int(state.Signal()))
			return
		}
		ended(state.ExitStatus())
	}()
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }, nil
}

func (n *network) isRunning(line string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.running {
		if l == line {
			return true
		}
	}
	return false
}

// serve starts a host's Server.
func (n *network) serve(tb testing.TB, i int) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address(i), n.port))
	if err != nil {
		tb.Fatal(err)
	}
	s, err := Serve(n.config(i), l)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

func (n *network) pool(tb testing.TB, i int) *Pool {
	tb.Helper()
	p, err := NewPool(n.config(i))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

// local starts a Local. It returns the path of its socket too.
func (n *network) local(tb testing.TB, h Handlers) (*Local, string) {
	tb.Helper()
	dir := tb.TempDir()
	l, err := Listen(dir, h)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.Close)
	return l, dir + "/" + SocketName
}

// waitUntil waits until a condition is met.
func waitUntil(tb testing.TB, what string, met func() bool) {
	tb.Helper()
	for end := time.Now().Add(testTimeout); !met(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("%s did not happen within %s", what, testTimeout)
		}
	}
}

// streams are a command's three files, with their other ends: in is the one of stdin; stdout and stderr are
// copied to out and err.
type streams struct {
	files    [3]*os.File
	in       *os.File
	out, err *bytes.Buffer
	copied   sync.WaitGroup
}

func newStreams(tb testing.TB) *streams {
	tb.Helper()
	s := &streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	for i := range s.files {
		r, w, err := os.Pipe()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { r.Close(); w.Close() })
		switch i {
		case 0:
			s.files[0], s.in = r, w
		case 1:
			s.files[1] = w
			s.copied.Go(func() { _, _ = io.Copy(s.out, r) })
		case 2:
			s.files[2] = w
			s.copied.Go(func() { _, _ = io.Copy(s.err, r) })
		}
	}
	return s
}

// end closes stdout and stderr, and returns everything that was written to them.
func (s *streams) end() (string, string) {
	s.files[1].Close()
	s.files[2].Close()
	s.copied.Wait()
	return s.out.String(), s.err.String()
}

// pairsOf derives the key pairs of a cluster with this secret.
func pairsOf(secret string) KeyPair {
	return func(label string) (ed25519.PrivateKey, error) {
		seed := sha256.Sum256([]byte(secret + "\x00" + label))
		return ed25519.NewKeyFromSeed(seed[:]), nil
	}
}

// diagnoseDial is a Config.Diagnose that knows what these tests ask for.
func diagnoseDial(err error, _ bool) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses connections: entrain has not started there, or has ended"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer"
	}
	return err.Error()
}
