package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// flood makes a thousand connections to h1 from a host. Every second one sends rubbish. It returns the
// others, which send nothing.
func (n *network) flood(t *testing.T, from int) (silent []net.Conn) {
	t.Helper()
	for i := range 1000 {
		conn := n.dial(t, from)
		if i%2 == 0 {
			_, _ = io.WriteString(conn, "SSH-2.0-x\r\n\x00\x00\x00\xff")
		} else {
			silent = append(silent, conn)
		}
	}
	return silent
}

// TestFloodFromAPeerDoesNotStopTheJob: connections from a peer's address push out each other, not the peers.
func TestFloodFromAPeerDoesNotStopTheJob(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	p := n.pool(t, 0)
	n.checkJobGoesOn(t, p)
	silent := n.flood(t, 2)
	n.checkJobGoesOn(t, p)
	n.checkJobGoesOn(t, n.pool(t, 1)) // a host may launch on itself too
	for _, conn := range silent[:100] {
		_ = conn.SetReadDeadline(time.Now().Add(handshakeTimeout / 2))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the oldest connections are not closed when others come")
		}
	}
}

// TestFloodOfStrangersDoesNotStopTheJob: strangers get no answer, and do not push out a peer that has just
// connected.
func TestFloodOfStrangersDoesNotStopTheJob(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	n.checkJobGoesOn(t, n.pool(t, 2))
	first := n.dial(t, 2)
	var work sync.WaitGroup
	work.Go(func() { n.checkJobGoesOn(t, n.pool(t, 0)) })
	for i, conn := range n.flood(t, 11) {
		_ = conn.SetReadDeadline(time.Now().Add(testTimeout))
		if got, err := io.ReadAll(conn); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("stranger %d was told %q, %v", i, got, err)
		}
	}
	work.Wait()
	c := n.config(2)
	config, err := c.clientConfig("h1")
	if err != nil {
		t.Fatal(err)
	}
	conn, _, _, err := ssh.NewClientConn(first, "h1", config)
	if err != nil {
		t.Fatalf("the peer that connected before the flood was refused: %v", err)
	}
	_ = conn.Close()
}

// TestLateNameIsAdmitted: a host is admitted as soon as its name resolves, also where it resolved to another
// address before.
func TestLateNameIsAdmitted(t *testing.T) {
	n := newNetwork(t, 2)
	var at atomic.Int64 // the host whose address h0 resolves to; 0 means that it does not resolve
	n.change = func(c *Config) {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			switch i := at.Load(); {
			case host != "h0":
				return lookup(ctx, host)
			case i != 0:
				return []netip.Addr{netip.AddrFrom16(address(int(i)).As16())}, nil // some resolvers write IPv4 so
			}
			return nil, errors.New("no such host")
		}
	}
	n.serve(t, 1)
	for _, from := range []int{11, 12} {
		if _, err := n.connectAs(t, from, func(*ssh.ClientConfig) {}); err == nil {
			t.Fatal("admitted before its name resolved")
		}
		at.Store(int64(from))
		waitUntil(t, "the admission of h0", func() bool {
			_, err := n.connectAs(t, from, func(*ssh.ClientConfig) {})
			return err == nil
		})
	}
}
