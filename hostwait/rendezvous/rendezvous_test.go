package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"entrain/hostwait/rendezvous/simnet"

	"go.uber.org/goleak"
)

// testTimeout bounds the wait for something that must happen, on a busy machine.
const testTimeout = 20 * time.Second

// atOthersEnd is an End that leave replaces.
func atOthersEnd() End { return End{Text: "at the end of the others"} }

// network is a number of hosts at the loopback addresses of one machine. The leader h0 is at 127.0.0.1, the
// other hosts are in 127.1.0.0/16.
type network struct {
	t      *testing.T
	hosts  []string
	port   int
	change func(*Config)

	mu    sync.Mutex
	warns []string
}

// newNetwork makes a network of n hosts, with a free port for the leader.
func newNetwork(t *testing.T, n int) *network {
	t.Helper()
	w := &network{t: t, change: func(*Config) {}}
	for i := range n {
		w.hosts = append(w.hosts, fmt.Sprintf("h%d", i))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	return w
}

// address returns the address of host i.
func address(i int) netip.Addr { return simnet.Address(i) }

// lookup is a hostwait.Lookup for the hosts of a network.
func lookup(_ context.Context, host string) ([]netip.Addr, error) {
	var i int
	if _, err := fmt.Sscanf(host, "h%d", &i); err != nil {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{address(i)}, nil
}

// config makes the Config of host i.
func (n *network) config(i int) Config {
	c := Config{
		Hosts: n.hosts, Self: Member{Host: n.hosts[i], Slots: i + 1, CPUs: 2}, Mode: "run", Version: "test",
		Digests: Digests{
			Hosts: "a", Hyperparameters: "b", Command: "c", Launcher: "ranks", ArgsStyle: "toolkit",
		},
		Table: true,
		Port:  n.port, Interface: "lo", PeerTimeout: 3 * time.Second, Lookup: lookup, Printable: printable,
		Warn: func(text string) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.warns = append(n.warns, text)
		},
		localAddr: &net.TCPAddr{IP: address(i).AsSlice()},
	}
	n.change(&c)
	return c
}

// printable is a Config.Printable that knows control characters alone.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}

// countMissing returns how many hosts a session knows to be missing.
func countMissing(s *Session) int {
	_, number := s.Missing()
	return number
}

// warned reports whether any host has warned with this text.
func (n *network) warned(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(strings.Join(n.warns, "\n"), text)
}

func (n *network) open(i int) *Session {
	n.t.Helper()
	s, err := Open(n.config(i))
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

// gather opens all sessions and waits for the release.
func (n *network) gather() []*Session {
	n.t.Helper()
	var all []*Session
	for i := range n.hosts {
		all = append(all, n.open(i))
		all[i].Ready(nil)
	}
	ctx, cancel := context.WithTimeout(n.t.Context(), testTimeout)
	defer cancel()
	for i, s := range all {
		table, err := s.Gather(ctx)
		if err != nil || len(table) != len(n.hosts) || table[i].Slots != i+1 {
			n.t.Fatalf("h%d: %v, %v", i, table, err)
		}
	}
	return all
}

// leave ends every session and returns the errors of Leave. A host whose end is atOthersEnd ends when its
// Context ends.
func leave(t *testing.T, all []*Session, ends ...End) []error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	var work sync.WaitGroup
	errs := make([]error, len(all))
	for i, s := range all {
		if s == nil {
			continue
		}
		work.Go(func() {
			if ends[i] == atOthersEnd() {
				<-s.Context().Done()
				ends[i] = End{Code: 143, Text: "killed by SIGTERM", At: time.Now()}
			}
			s.End(ends[i])
			errs[i] = s.Leave(ctx, 100*time.Millisecond)
		})
	}
	work.Wait()
	if ctx.Err() != nil {
		t.Errorf("not all left within %s", testTimeout)
	}
	return errs
}

// TestHostsStartAndEndTogether: without a failure, no host gets an error or warns.
func TestHostsStartAndEndTogether(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	for i, err := range leave(t, n.gather(), End{}, End{}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
	if len(n.warns) > 0 {
		t.Errorf("warnings: %q", n.warns)
	}
}

// TestFirstFailureEndsAllHosts: the earliest failure ends all hosts, although a later one is heard of
// first.
func TestFirstFailureEndsAllHosts(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 4)
	all := n.gather()
	now := time.Now()
	// h3 fails because h2 has failed, and the leader hears of h3 first.
	all[3].End(End{Code: 1, Text: "exit code 1: lost a peer", At: now})
	first := End{Code: 7, Text: "exit code 7: RuntimeError", At: now.Add(-100 * time.Millisecond)}
	errs := leave(t, all, atOthersEnd(), atOthersEnd(), first, End{})
	for i, err := range errs {
		e, ok := errors.AsType[*PeerError](err)
		if i == 2 {
			if err != nil {
				t.Errorf("the host that failed: %v", err)
			}
			continue
		}
		if !ok || e.Code != 7 || e.Error() != "h2: exit code 7: RuntimeError" {
			t.Errorf("h%d: %v", i, err)
		}
	}
}

// TestStopOfOneHostStopsAll: a SIGTERM on one host stops all others. What the trainers then end with is no
// failure of another host.
func TestStopOfOneHostStopsAll(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	all := n.gather()
	all[1].Stopped()
	for _, i := range []int{0, 2} {
		<-all[i].Context().Done()
		if _, ok := errors.AsType[*StopError](context.Cause(all[i].Context())); !ok {
			t.Errorf("h%d: %v", i, context.Cause(all[i].Context()))
		}
	}
	if all[1].Context().Err() != nil {
		t.Error("the host that was sent SIGTERM is stopped once more")
	}
	for i, err := range leave(t, all, End{Code: 143}, End{Code: 143}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
}

// TestIgnoredFailureEndsNoOtherHost: with Ignore, the failure of a host does not end the other hosts.
func TestIgnoredFailureEndsNoOtherHost(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	n.change = func(c *Config) { c.Ignore = true }
	all := n.gather()
	all[1].End(End{Code: 7})
	if err := all[1].Leave(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := leave(t, all[:1], End{})[0]; err != nil {
		t.Error(err)
	}
}
