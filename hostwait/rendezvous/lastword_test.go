package rendezvous

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestFurtherHelloEndsTheHold: the leader answers a hello at once when a further one arrives behind it, in a
// segment of its own or in the same one.
func TestFurtherHelloEndsTheHold(t *testing.T) {
	for name, isOneWrite := range map[string]bool{"two segments": false, "one segment": true} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 2)
			n.change = func(c *Config) { c.PeerTimeout = time.Hour }
			leader := n.open(0)
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: address(1).AsSlice()}}
			conn, err := dialer.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(testTimeout))
			answers := bufio.NewReader(conn)
			say := func(count int, h hello) string {
				h.Protocol, h.Version, h.Mode, h.Instance = Protocol, "test", "run", "one"
				h.Host, h.Count, h.Clock, h.Hold = "h1", count, time.Now().UnixMicro(), time.Hour.Milliseconds()
				h.Digests, h.Seen = n.config(1).Digests, 1<<30 // nothing is news
				body, _ := json.Marshal(&h)
				const request = "POST %s HTTP/1.1\r\nHost: h0\r\nContent-Length: %d\r\n\r\n%s\n"
				return fmt.Sprintf(request, syncPath, len(body)+1, body)
			}
			first, second := say(1, hello{}), say(2, hello{Ended: &ended{}})
			if isOneWrite {
				first += second
			}
			_, _ = conn.Write([]byte(first))
			if !isOneWrite {
				waitForHello(t, leader)
				_, _ = conn.Write([]byte(second))
			}
			for i := range 2 {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatalf("answer %d: %v", i+1, err)
				}
				if _, err := readView(answer, &leader.config); err != nil {
					t.Fatalf("answer %d: %v", i+1, err)
				}
			}
			leader.End(End{})
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // h1 says no goodbye
			_ = leader.Leave(ctx, 0)
		})
	}
}

// waitForHello waits until h1 has said hello.
func waitForHello(t *testing.T, s *Session) {
	t.Helper()
	k := s.link.(*leader).roster
	for end := time.Now().Add(testTimeout); time.Now().Before(end); time.Sleep(time.Millisecond) {
		k.mu.Lock()
		has := k.members["h1"] != nil
		k.mu.Unlock()
		if has {
			return
		}
	}
	t.Fatal("the hello does not arrive")
}

// TestLastWordGoesOverTheStandingConnection: a worker needs one connection from its first hello to its
// goodbye.
func TestLastWordGoesOverTheStandingConnection(t *testing.T) {
	defer goleak.VerifyNone(t)
	var dials atomic.Int32
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		dialer := net.Dialer{LocalAddr: c.localAddr}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				dials.Add(1)
			}
			return conn, err
		}
	}
	all := n.gather()
	for range 5 {
		all[1].Begin()
	}
	for i, err := range leave(t, all, End{}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
	if got := dials.Load(); got != 1 {
		t.Errorf("%d connections, expected 1", got)
	}
}

// TestLeaderStaysUntilGoodbye: a worker that has told its end needs the leader until it says goodbye, is
// silent for PeerTimeout, or is lost. A hello that the network held up is no new sign of life.
func TestLeaderStaysUntilGoodbye(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name  string
		hello hello
		delay time.Duration // of the hello, on its way
		after time.Duration
		want  bool
	}{
		{"it works", hello{}, 0, time.Second, false},
		{"it works, and its hello was held up", hello{}, time.Minute, 0, false},
		{"it has told its end", hello{Ended: &ended{}}, 0, 29 * time.Second, false},
		{"it has told its end and is silent", hello{Ended: &ended{}}, 0, 30 * time.Second, true},
		{"its end was held up", hello{Ended: &ended{}}, 20 * time.Second, 9 * time.Second, false},
		{"its end was held up, and it is silent", hello{Ended: &ended{}}, 20 * time.Second, 10 * time.Second, true},
		{"its end comes after PeerTimeout", hello{Ended: &ended{}}, time.Minute, 0, true},
		{"it has said goodbye", hello{Ended: &ended{}, Bye: true}, 0, 0, true},
	} {
		k := newRoster(&Config{Hosts: []string{"h0", "h1"}, PeerTimeout: 30 * time.Second, Warn: func(string) {}})
		earlier := now.Add(-2 * time.Minute)
		first, last := hello{Clock: earlier.UnixMicro()}, c.hello
		last.Count, last.Clock = 1, now.Add(-c.delay).UnixMicro()
		for i, h := range []*hello{&first, &last} {
			h.Protocol, h.Host, h.Instance = Protocol, "h1", "i"
			if r := k.takeHello(h, netip.Addr{}, []time.Time{earlier, now}[i]); r != nil {
				t.Fatal(r.why)
			}
		}
		if got := k.isUnneeded(false, now.Add(c.after)); got != c.want {
			t.Errorf("%s: the leader may leave: %v", c.name, got)
		}
	}
}

// TestGoodEndStandsOnceItWasTold: what the network does after a good end was told is no failure. A failure
// stands only if the leader has answered after it.
func TestGoodEndStandsOnceItWasTold(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name string
		end  End
		w    *worker
		want bool
	}{
		{"a good end that was told", End{At: now}, &worker{told: now, lastAnswer: now.Add(-time.Hour)}, true},
		{"a good end, and a failure is known", End{At: now}, &worker{told: now, undecided: true}, false},
		{"a good end that was not told", End{At: now}, &worker{lastAnswer: now.Add(-time.Second)}, false},
		{"a failure before an answer", End{Code: 3, At: now}, &worker{lastAnswer: now.Add(time.Second)}, true},
		{"a failure after all answers", End{Code: 3, At: now}, &worker{told: now, lastAnswer: now}, false},
	} {
		if got := c.w.stands(&c.end, nil); got != c.want {
			t.Errorf("%s stands: %v", c.name, got)
		}
	}
}
