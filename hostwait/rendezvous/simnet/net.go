// Package simnet is a network in memory, for tests of the rendezvous with a virtual clock
// (testing/synctest). A seed decides what the network does, so that a job can be played again. No code of the
// program imports it.
package simnet

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Net is a network in memory between the leader, host 0, and its workers. It behaves as TCP does: a lost
// segment is sent again after 200 ms, 400 ms and so on, and a lost SYN after 1 s, 2 s and so on. What it does
// to a segment depends only on the seed, the connection and the number of the segment.
type Net struct {
	Loss     float64       // the part of all segments that is lost
	Troubles float64       // the part of all segments at which a connection is reset, cut or stalled
	Stall    time.Duration // how long a connection stalls at most
	Mercy    time.Duration // Loss and Troubles stop during the second half of each such span; 0: never
	Machines []*Machine

	seed  uint64
	start time.Time

	mu       sync.Mutex
	trace    []string
	listener *listener
}

// Machine is the machine of a host: its kernel and its cable.
type Machine struct {
	Cuts   []Span // when the cable carries nothing
	Frozen Span   // when the process stands still, and the kernel does not
	Kill   Kill   // when the process is killed

	net     *Net
	host    int
	killed  chan struct{} // closed when the process is killed
	diedAt  time.Duration // when that was
	brokeAt time.Duration // when its peers see the end of all its connections
	dials   int           // the connections so far
	writes  int           // the writes so far
	pauses  int           // the pauses between two tries so far
	conns   []*conn       // the open ones
}

// Span is a time span, counted from the start of the network. OneWay leaves the direction to the leader.
type Span struct {
	From, To time.Duration
	OneWay   bool
}

// Kill says when a process is killed.
type Kill struct {
	At      time.Duration // 0: never
	AtWrite int           // the number of the first write that may be the last; 0: the time alone counts
	Before  bool          // the last write is not done
	Machine bool          // the kernel goes with the process, and says nothing to the peers
}

// New makes a network of a leader and its workers.
func New(seed uint64, hosts int) *Net {
	n := &Net{seed: seed, start: time.Now()}
	for i := range hosts {
		n.Machines = append(n.Machines, &Machine{net: n, host: i, killed: make(chan struct{})})
	}
	return n
}

// Start returns when the network began.
func (n *Net) Start() time.Time { return n.start }

// Trace returns what has happened, a line for each event.
func (n *Net) Trace() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.trace, "\n")
}

// Roll returns a number from 0 up to 1, which depends on the seed and on what is decided.
func (n *Net) Roll(what string, numbers ...int) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, n.seed, what, numbers)
	x := h.Sum64() // the high bits of FNV depend little on the last bytes
	x = (x ^ x>>31) * 0x9e3779b97f4a7c15
	x = (x ^ x>>29) * 0xbf58476d1ce4e5b9
	return float64((x^x>>32)>>11) / (1 << 53)
}

// Since returns the time since the start of the network.
func (n *Net) Since() time.Duration { return time.Since(n.start) }

// Note adds a line to the trace.
func (n *Net) Note(format string, words ...any) {
	line := fmt.Sprintf("%9.3fs ", n.Since().Seconds()) + fmt.Sprintf(format, words...)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trace = append(n.trace, line)
}

// passes reports whether the cables of a worker and of the leader carry a segment at a time.
func (n *Net) passes(worker int, toLeader bool, at time.Duration) bool {
	for _, host := range []int{0, worker} {
		m := n.Machines[host]
		if m.Kill.Machine && m.IsKilled() {
			return false
		}
		for _, c := range m.Cuts {
			if at >= c.From && at < c.To && (!c.OneWay || !toLeader) {
				return false
			}
		}
	}
	return true
}

// Carries reports whether the cables of a worker and of the leader carry segments both ways now.
func (n *Net) Carries(worker int) bool {
	return n.passes(worker, true, n.Since()) && n.passes(worker, false, n.Since())
}

// arrival returns when a segment that is sent now arrives. It is after the end of the simulation if the
// segment never does.
func (n *Net) arrival(c *conn, number int, retry time.Duration) time.Duration {
	at := n.Since()
	for try := range 12 {
		lost := !n.isKind(at) && n.Roll("lost", c.worker, c.number, c.direction(), number, try) < n.Loss
		if !lost && n.passes(c.worker, c.direction() == 0, at) {
			return at + 300*time.Microsecond
		}
		at += min(retry<<try, 2*time.Minute)
	}
	return never()
}

// never is a length of time that no simulation has.
func never() time.Duration { return 1000 * time.Hour }

// isKind reports whether the network neither loses a segment at a time nor does anything else to it.
func (n *Net) isKind(at time.Duration) bool { return n.Mercy > 0 && at%n.Mercy >= n.Mercy/2 }

// synPasses reports whether a SYN of a worker and its answer arrive.
func (n *Net) synPasses(near *conn, try int) bool {
	for _, what := range []string{"syn", "synack"} {
		isUp := n.passes(near.worker, what == "syn", n.Since())
		if !isUp || !n.isKind(n.Since()) && n.Roll(what, near.worker, near.number, try) < n.Loss {
			return false
		}
	}
	return !near.machine.IsKilled()
}

// accept gives the leader's end of a connection to its listener. It returns false without a listener.
func (n *Net) accept(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener == nil || n.listener.isClosed() {
		return false
	}
	n.listener.waiting <- c
	return true
}

// listener is the leader's listener.
type listener struct {
	waiting chan net.Conn
	closed  chan struct{}
	close   func()
}

// Listen makes the leader's listener.
func (n *Net) Listen(context.Context) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{waiting: make(chan net.Conn, 1000), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	n.listener = l
	return l, nil
}

func (l *listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.close(); return nil }
func (l *listener) Addr() net.Addr { return addressOf(0) }

func addressOf(host int) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(Address(host), 1))
}

// Address returns the address of a host.
func Address(host int) netip.Addr {
	if host == 0 {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrFrom4([4]byte{127, 1, byte(host >> 8), byte(host)}) //nolint:gosec // few hosts
}
