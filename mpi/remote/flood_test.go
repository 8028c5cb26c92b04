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

// flood is a thousand connections that say nothing, or rubbish; it gives the former.
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

// TestFlood: those of a peer's address close each other, and not the peers'.
func TestFlood(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	p := n.pool(t, 0)
	n.works(t, p)
	silent := n.flood(t, 2)
	n.works(t, p)
	n.works(t, n.pool(t, 1)) // whose own host is like any other
	for _, conn := range silent[:100] {
		_ = conn.SetReadDeadline(time.Now().Add(authTime / 2))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the oldest are not closed when others come")
		}
	}
}

// TestFloodOfStrangers: those of another address get no word, and do not cost a peer its place that has just come.
func TestFloodOfStrangers(t *testing.T) {
	n := newNetwork(t, 3)
	n.serve(t, 1)
	n.works(t, n.pool(t, 2))
	first := n.dial(t, 2)
	var work sync.WaitGroup
	work.Go(func() { n.works(t, n.pool(t, 0)) })
	for i, conn := range n.flood(t, 11) {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if got, err := io.ReadAll(conn); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("stranger %d was told %q, %v", i, got, err)
		}
	}
	work.Wait()
	c := n.config(2)
	config, err := c.client("h1")
	if err != nil {
		t.Fatal(err)
	}
	conn, _, _, err := ssh.NewClientConn(first, "h1", config)
	if err != nil {
		t.Fatalf("the peer that came first was sent away: %v", err)
	}
	_ = conn.Close()
}

// TestLateName: a host whose name resolves late, or to another address than before, is let in then.
func TestLateName(t *testing.T) {
	n := newNetwork(t, 2)
	var at atomic.Int64 // where the name leads; 0 for nowhere
	n.change = func(c *Config) {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			switch i := at.Load(); {
			case host != "h0":
				return lookup(ctx, host)
			case i != 0:
				return []netip.Addr{netip.AddrFrom16(address(int(i)).As16())}, nil // as some resolvers have it
			}
			return nil, errors.New("no such host")
		}
	}
	n.serve(t, 1)
	for _, from := range []int{11, 12} {
		if _, err := n.stranger(t, from, func(*ssh.ClientConfig) {}); err == nil {
			t.Fatal("was let in before its name resolved")
		}
		at.Store(int64(from))
		until(t, "the late name's host", func() bool {
			_, err := n.stranger(t, from, func(*ssh.ClientConfig) {})
			return err == nil
		})
	}
}
