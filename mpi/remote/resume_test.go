package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestStreamsCrossBrokenChannels: whatever is lost with one channel after the other, each stream arrives
// whole and once. A channel ends in the middle of a frame too.
func TestStreamsCrossBrokenChannels(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		synctest.Test(t, func(t *testing.T) {
			client, server := newSession(clientSends), newSession(serverSends)
			sides := [streamCount][2]*session{{client, server}, {server, client}, {server, client}, {server, client}}
			var work sync.WaitGroup
			var sent, got [streamCount]bytes.Buffer
			for i := range uint8(streamCount) {
				side := sides[i]
				data := make([]byte, random.IntN(3*maxKept))
				_, _ = rand.NewChaCha8([32]byte{byte(seed), i}).Read(data)
				sent[i].Write(data)
				work.Go(func() {
					_, _ = streamWriter{side[0], i}.Write(data)
					streamWriter{side[0], i}.end()
				})
				work.Go(func() { side[1].deliver(i, &got[i]) })
			}
			go func() { work.Wait(); client.finish(); server.finish() }()
			for !client.isFinished() {
				near, far := net.Pipe()
				budget := &atomic.Int64{}
				budget.Store(random.Int64N(maxKept))
				go server.carry(far)
				client.carry(budgetConn{near, budget})
			}
			for i := range sent {
				if !bytes.Equal(sent[i].Bytes(), got[i].Bytes()) {
					t.Errorf("seed %d, stream %d: %d bytes of %d", seed, i, got[i].Len(), sent[i].Len())
				}
			}
		})
	}
}

// budgetConn is a connection that breaks after so many bytes in both directions together.
type budgetConn struct {
	net.Conn
	budget *atomic.Int64
}

func (b budgetConn) pass(data []byte, pass func([]byte) (int, error)) (int, error) {
	left := b.budget.Add(-int64(len(data))) + int64(len(data))
	if left < int64(len(data)) {
		n, _ := pass(data[:max(0, left)])
		_ = b.Close()
		return n, io.ErrClosedPipe
	}
	return pass(data)
}

func (b budgetConn) Read(data []byte) (int, error)  { return b.pass(data, b.Conn.Read) }
func (b budgetConn) Write(data []byte) (int, error) { return b.pass(data, b.Conn.Write) }

// TestFramesThatDoNotFollowEndTheChannel: a frame that does not follow from those before it changes nothing.
func TestFramesThatDoNotFollowEndTheChannel(t *testing.T) {
	big := strings.Repeat("x", maxFrame)
	for what, frames := range map[string][]string{
		"a gap":                    {string(encodeFrame(frameData, stdinStream, 1, []byte("a")))},
		"a stream of the receiver": {string(encodeFrame(frameData, stdoutStream, 0, []byte("a")))},
		"no stream":                {string(encodeFrame(frameData, streamCount, 0, []byte("a")))},
		"no kind":                  {string(encodeFrame(7, stdinStream, 0, nil))},
		"a frame too large":        {string(encodeFrame(frameData, stdinStream, 0, []byte(big+"x")))},
		"an end with a gap":        {string(encodeFrame(frameEnd, stdinStream, 9, nil))},
		"bytes after the end": {
			string(encodeFrame(frameEnd, stdinStream, 0, nil)),
			string(encodeFrame(frameData, stdinStream, 0, []byte("a"))),
		},
		"more than the receiver keeps": {tooMuch(big)},
	} {
		s := newSession(serverSends)
		err := s.receiveAll(strings.NewReader(strings.Join(frames, "")))
		if !errors.Is(err, errBadFrame) || len(s.streams[stdinStream].kept) > maxKept {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func tooMuch(part string) string {
	var all strings.Builder
	for i := 0; i <= maxKept; i += len(part) {
		all.Write(encodeFrame(frameData, stdinStream, uint64(i), []byte(part)))
	}
	return all.String()
}

// cutter relays connections, and resets the first ones: each after so many bytes in both directions together.
type cutter struct {
	port int

	mu      sync.Mutex
	budgets []int64 // of the next connections; those that come after them are not reset
}

func newCutter(t *testing.T, to string, budgets ...int64) *cutter {
	t.Helper()
	c := &cutter{budgets: budgets}
	left := map[net.Conn]*atomic.Int64{}
	budgetOf := func(near, far net.Conn) *atomic.Int64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		if left[near] == nil {
			left[near] = &atomic.Int64{}
			left[near].Store(1 << 40)
			if len(c.budgets) > 0 {
				left[near].Store(c.budgets[0])
				c.budgets = c.budgets[1:]
			}
			left[far] = left[near]
		}
		return left[near]
	}
	pass := func(from, to net.Conn) {
		defer to.Close()
		budget := budgetOf(from, to)
		b := make([]byte, 1<<16)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			if after := budget.Add(-int64(n)); after < 0 {
				_, _ = to.Write(b[:max(0, after+int64(n))])
				_ = from.(*net.TCPConn).SetLinger(0) // Close sends a reset
				_ = to.(*net.TCPConn).SetLinger(0)
				_ = from.Close()
				return
			}
			_, _ = to.Write(b[:n])
		}
	}
	c.port = relay(t, to, pass, pass)
	return c
}

// TestSessionSurvivesResets: a connection is reset after any number of bytes: in the handshake, before the
// start of the daemon, between its output, before its exit code. The command runs once, its streams are
// whole, and its exit code is known.
func TestSessionSurvivesResets(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	to := fmt.Sprintf("127.2.0.1:%d", n.port)
	dir := t.TempDir()
	lines := strings.Repeat("0123456789abcdef\n", 200)
	check := func(budgets ...int64) {
		cut := newCutter(t, to, budgets...)
		config := n.config(0)
		config.Port = cut.port
		p, err := NewPool(config)
		if err != nil {
			t.Error(err)
			return
		}
		defer p.Close()
		marker := fmt.Sprintf("%s/%v", dir, budgets)
		s := newStreams(t)
		go func() {
			_, _ = io.WriteString(s.in, lines)
			_ = s.in.Close()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		defer cancel()
		command := fmt.Sprintf("echo once >>'%s'; tee /dev/stderr; exit 7", marker)
		code, err := p.Exec(ctx, "h1", []string{command}, s.files)
		stdout, stderr := s.end()
		ran, _ := os.ReadFile(marker)
		if code != 7 || err != nil || stdout != lines || stderr != lines || string(ran) != "once\n" {
			t.Errorf("reset after %d bytes: code %d, error %v, %d and %d bytes of %d, %q",
				budgets, code, err, len(stdout), len(stderr), len(lines), ran)
		}
	}
	var work sync.WaitGroup
	slots := make(chan struct{}, 4)
	for first := int64(0); first < 20000; first += 397 {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			check(first, 6000+first/4, 100)
		})
	}
	work.Wait()
}

// outage is a network between a client and h1 that can be taken away: connections are reset, and then
// refused.
type outage struct {
	*cutter
	mu    sync.Mutex
	conns map[net.Conn]bool
	isOut bool
}

func newOutage(t *testing.T, to string) *outage {
	t.Helper()
	o := &outage{cutter: &cutter{}, conns: map[net.Conn]bool{}}
	pass := func(from, to net.Conn) {
		defer to.Close()
		o.mu.Lock()
		o.conns[from] = true
		isOut := o.isOut
		o.mu.Unlock()
		if isOut {
			_ = from.(*net.TCPConn).SetLinger(0)
			_ = from.Close()
		}
		_, _ = io.Copy(to, from)
	}
	o.port = relay(t, to, pass, pass)
	return o
}

func (o *outage) set(isOut bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isOut = isOut
	for conn := range o.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	clear(o.conns)
}

// TestOutageShorterThanPeerTimeoutIsSurvived: the daemon runs on meanwhile. One that lasts longer is a loss
// for both sides.
func TestOutageShorterThanPeerTimeoutIsSurvived(t *testing.T) {
	for what, c := range map[string]struct {
		lasts, peerTimeout time.Duration
		code               int
	}{
		"shorter": {2 * time.Second, testTimeout, 9},
		"longer":  {testTimeout, time.Second, CodeSSHError},
	} {
		t.Run(what, func(t *testing.T) {
			n := newNetwork(t, 2)
			n.change = func(config *Config) { config.PeerTimeout = c.peerTimeout }
			n.serve(t, 1)
			o := newOutage(t, fmt.Sprintf("127.2.0.1:%d", n.port))
			n.port = o.port
			p := n.pool(t, 0)
			s := newStreams(t)
			line := "cat; exit 9 # " + what
			type result struct {
				code int
				err  error
			}
			ended := make(chan result, 1)
			go func() {
				code, err := p.Exec(t.Context(), "h1", []string{line}, s.files)
				ended <- result{code, err}
			}()
			waitUntil(t, "the start", func() bool { return n.isRunning(line) })
			o.set(true)
			_, _ = io.WriteString(s.in, "during the outage")
			_ = s.in.Close()
			back := time.AfterFunc(c.lasts, func() { o.set(false) })
			defer back.Stop()
			r := <-ended
			stdout, _ := s.end()
			if r.code != c.code || (r.err != nil) != (c.code == CodeSSHError) {
				t.Errorf("code %d, error %v", r.code, r.err)
			}
			if c.code != CodeSSHError && stdout != "during the outage" {
				t.Errorf("stdout %q", stdout)
			}
			const want = "h1 is lost: nothing was heard of it for 1s"
			if r.err != nil && !strings.HasPrefix(r.err.Error(), want) {
				t.Errorf("%v, want %s", r.err, want)
			}
			waitUntil(t, "the daemon's end", func() bool { return !n.isRunning(line) })
		})
	}
}

// TestCommandThatIsGivenUpDuringAnOutageIsKilled: the next connection tells the server that nobody wants the
// session.
func TestCommandThatIsGivenUpDuringAnOutageIsKilled(t *testing.T) {
	const line = "sleep 63"
	n := newNetwork(t, 2)
	n.serve(t, 1)
	o := newOutage(t, fmt.Sprintf("127.2.0.1:%d", n.port))
	n.port = o.port
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	s := newStreams(t)
	p := n.pool(t, 0)
	go func() {
		_, err := p.Exec(ctx, "h1", []string{line}, s.files)
		ended <- err
	}()
	waitUntil(t, "the start", func() bool { return n.isRunning(line) })
	o.set(true)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !n.isRunning(line) {
		t.Error("the server knows already")
	}
	o.set(false)
	waitUntil(t, "the daemon's end", func() bool { return !n.isRunning(line) })
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 6"}, s.files); code != 6 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}
