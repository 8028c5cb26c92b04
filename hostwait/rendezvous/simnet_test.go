package rendezvous

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// simNet is a network in memory between the leader and its workers. It behaves as TCP does: a lost segment
// is sent again after 200 ms, 400 ms and so on, and a lost SYN after 1 s, 2 s and so on. What it does to a
// segment depends only on the seed, the connection and the number of the segment.
type simNet struct {
	seed     uint64
	start    time.Time
	loss     float64       // the part of all segments that is lost
	troubles float64       // the part of all segments at which a connection is reset, cut or stalled
	stall    time.Duration // how long a connection stalls at most

	mu       sync.Mutex
	trace    []string
	machines []*simMachine
	listener *simListener
}

// simMachine is the machine of a host: its kernel and its cable.
type simMachine struct {
	net    *simNet
	host   int
	cuts   []simSpan     // when the cable carries nothing
	frozen simSpan       // when the process stands still, and the kernel does not
	kill   simKill       // when the process is killed
	killed chan struct{} // closed when the process is killed
	diedAt time.Duration // when that was
	dials  int           // the connections so far
	writes int           // the writes so far
	conns  []*simConn    // the open ones
}

// simSpan is a time span, counted from the start of the network. oneWay leaves the direction to the leader.
type simSpan struct {
	from, to time.Duration
	oneWay   bool
}

// simKill says when a process is killed.
type simKill struct {
	at      time.Duration // 0: never
	atWrite int           // the number of the first write that may be the last; 0: the time alone counts
	before  bool          // the last write is not done
	machine bool          // the kernel goes with the process, and says nothing to the peers
}

func newSimNet(seed uint64, hosts int) *simNet {
	n := &simNet{seed: seed, start: time.Now()}
	for i := range hosts {
		n.machines = append(n.machines, &simMachine{net: n, host: i, killed: make(chan struct{})})
	}
	return n
}

// roll returns a number from 0 up to 1, which depends on the seed and on what is decided.
func (n *simNet) roll(what string, numbers ...int) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, n.seed, what, numbers)
	x := h.Sum64() // the high bits of FNV depend little on the last bytes
	x = (x ^ x>>31) * 0x9e3779b97f4a7c15
	x = (x ^ x>>29) * 0xbf58476d1ce4e5b9
	return float64((x^x>>32)>>11) / (1 << 53)
}

func (n *simNet) since() time.Duration { return time.Since(n.start) }

// note adds a line to the trace.
func (n *simNet) note(format string, words ...any) {
	line := fmt.Sprintf("%9.3fs ", n.since().Seconds()) + fmt.Sprintf(format, words...)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trace = append(n.trace, line)
}

// passes reports whether the cables of a worker and of the leader carry a segment at a time.
func (n *simNet) passes(worker int, toLeader bool, at time.Duration) bool {
	for _, host := range []int{0, worker} {
		m := n.machines[host]
		if m.kill.machine && m.isKilled() {
			return false
		}
		for _, c := range m.cuts {
			if at >= c.from && at < c.to && (!c.oneWay || !toLeader) {
				return false
			}
		}
	}
	return true
}

// arrival returns when a segment that is sent now arrives. It is after the end of the simulation if the
// segment never does.
func (n *simNet) arrival(c *simConn, number int, retry time.Duration) time.Duration {
	const latency = 300 * time.Microsecond
	at := n.since()
	for try := range 12 {
		lost := n.roll("lost", c.worker, c.number, c.direction(), number, try) < n.loss
		if !lost && n.passes(c.worker, c.direction() == 0, at) {
			return at + latency
		}
		at += min(retry<<try, 2*time.Minute)
	}
	return never
}

const never = 1000 * time.Hour

func (m *simMachine) isKilled() bool {
	select {
	case <-m.killed:
		return true
	default:
		return false
	}
}

// die kills the process. The kernel closes its connections, unless it goes too.
func (m *simMachine) die() {
	m.net.mu.Lock()
	if m.isKilled() {
		m.net.mu.Unlock()
		return
	}
	close(m.killed)
	m.diedAt = m.net.since()
	conns, listener := m.conns, m.net.listener
	m.net.mu.Unlock()
	m.net.note("h%d is killed, its machine too: %v", m.host, m.kill.machine)
	if listener != nil && m.host == 0 {
		_ = listener.Close()
	}
	for _, c := range conns {
		if m.kill.machine {
			c.in.fail(net.ErrClosed, 0)
			continue
		}
		_ = c.Close()
	}
}

// dial connects to the leader, as the kernel of a worker does.
func (m *simMachine) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n := m.net
	n.mu.Lock()
	m.dials++
	near, far := n.pair(m.host, m.dials)
	n.mu.Unlock()
	for try, wait := 0, time.Second; ; try, wait = try+1, wait*2 {
		m.thaw()
		if n.synPasses(near, try) {
			if !n.accept(far) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			n.note("h%d connects (%d)", m.host, near.number)
			return near, nil
		}
		select {
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		case <-time.After(wait):
		}
	}
}

// synPasses reports whether a SYN of a worker and its answer arrive.
func (n *simNet) synPasses(near *simConn, try int) bool {
	for _, what := range []string{"syn", "synack"} {
		isUp := n.passes(near.worker, what == "syn", n.since())
		if !isUp || n.roll(what, near.worker, near.number, try) < n.loss {
			return false
		}
	}
	return !near.machine.isKilled()
}

// thaw waits while the process is frozen.
func (m *simMachine) thaw() {
	now := m.net.since()
	if now >= m.frozen.from && now < m.frozen.to {
		time.Sleep(m.frozen.to - now)
	}
}

// accept gives the leader's end of a connection to its listener. It returns false without a listener.
func (n *simNet) accept(c *simConn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener == nil || n.listener.isClosed() {
		return false
	}
	n.listener.waiting <- c
	return true
}

// simListener is the leader's listener.
type simListener struct {
	waiting chan net.Conn
	closed  chan struct{}
	close   func()
}

func (n *simNet) listen(context.Context) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &simListener{waiting: make(chan net.Conn, 1000), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	n.listener = l
	return l, nil
}

func (l *simListener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

func (l *simListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *simListener) Close() error   { l.close(); return nil }
func (l *simListener) Addr() net.Addr { return simAddr(0) }

func simAddr(host int) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(address(host), 1))
}
