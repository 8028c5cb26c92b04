package simnet

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
)

// Killed is closed when the process is killed.
func (m *Machine) Killed() <-chan struct{} { return m.killed }

// DiedAt returns when the process was killed. It is 0 if it was not.
func (m *Machine) DiedAt() time.Duration { return m.diedAt }

// BrokeAt returns when the peers of a process that was killed have seen the end of its connections.
func (m *Machine) BrokeAt() time.Duration { return m.brokeAt }

// Vary returns a length of time by which a pause between two tries is longer.
func (m *Machine) Vary(longest time.Duration) time.Duration {
	m.pauses++
	return time.Duration(m.net.Roll("pause", m.host, m.pauses) * float64(longest))
}

// IsKilled reports whether the process is killed.
func (m *Machine) IsKilled() bool {
	select {
	case <-m.killed:
		return true
	default:
		return false
	}
}

// Die kills the process. The kernel closes its connections, unless it goes too.
func (m *Machine) Die() {
	m.net.mu.Lock()
	if m.IsKilled() {
		m.net.mu.Unlock()
		return
	}
	close(m.killed)
	m.diedAt = m.net.Since()
	m.brokeAt = m.diedAt
	if m.Kill.Machine {
		m.brokeAt = never()
	}
	conns, listener := m.conns, m.net.listener
	m.net.mu.Unlock()
	m.net.Note("h%d is killed, its machine too: %v", m.host, m.Kill.Machine)
	if listener != nil && m.host == 0 {
		_ = listener.Close()
	}
	for _, c := range conns {
		if m.Kill.Machine {
			c.in.fail(net.ErrClosed, 0)
			continue
		}
		m.brokeAt = max(m.brokeAt, c.end())
	}
}

// Dial connects to the leader, as the kernel of a worker does.
func (m *Machine) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n := m.net
	n.mu.Lock()
	m.dials++
	near, far := n.pair(m.host, m.dials)
	n.mu.Unlock()
	for try, wait := 0, time.Second; ; try, wait = try+1, wait*2 {
		m.Thaw()
		if n.synPasses(near, try) {
			if !n.accept(far) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			n.Note("h%d connects (%d)", m.host, near.number)
			return near, nil
		}
		select {
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		case <-time.NewTimer(wait).C:
		}
	}
}

// Thaw waits while the process is frozen.
func (m *Machine) Thaw() {
	now := m.net.Since()
	if now >= m.Frozen.From && now < m.Frozen.To {
		<-time.NewTimer(m.Frozen.To - now).C
	}
}
