package rendezvous

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestHostsThatDifferRefuseEachOther: two hosts that differ both say so, and name both sides.
func TestHostsThatDifferRefuseEachOther(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Config) // of h1
		want   string        // at h1
		leader string        // at the leader; empty where the job goes on without h1
	}{
		{
			"command", func(c *Config) { c.Digests.Command = "d" },
			"h0 refuses: command differs: it is d on h1 and c on h0",
			"h1: command differs: it is d on h1 and c on h0",
		},
		{
			"hyperparameters", func(c *Config) { c.Digests.Hyperparameters = "d" },
			"h0 refuses: hyperparameters differ", "h1: hyperparameters differ",
		},
		{
			"hosts", func(c *Config) { c.Digests.Hosts = "d" },
			"h0 refuses: hosts differ", "h1: hosts differ",
		},
		{
			"verb", func(c *Config) { c.Mode = "exec" },
			"h0 refuses: verb differs: it is exec on h1 and run on h0", "h1: verb differs",
		},
		{
			"an unknown host", func(c *Config) { c.Self.Host = "h9" },
			"h0 refuses: h9 at 127.1.0.1 is not a host of this job: [h0 h1 h2]", "",
		},
		{
			"a key on h1 alone", func(c *Config) { c.Key = Key{strings.Repeat("x", keySize)} },
			"h0 refuses: it has no cluster key, and this host has one",
			"h1: has a cluster key, and h0 has none",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			testDifferingHost(t, c.change, c.want, c.leader)
		})
	}
}

// TestHostsThatDifferInAChoiceRefuseEachOther: what all hosts must do alike is named with
// what each of them does.
func TestHostsThatDifferInAChoiceRefuseEachOther(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Config)
		want   string
		leader string
	}{
		{
			"program", func(c *Config) {
				c.Digests.Command, c.Command = "d", []Word{{Digest: "p", Text: "printf"}}
			},
			`h0 refuses: the command's word 1 differs: h1 has "printf", and h0 has none`,
			`h1: the command's word 1 differs: h1 has "printf", and h0 has none`,
		},
		{
			"launcher", func(c *Config) { c.Digests.Launcher = "none" },
			"h0 refuses: launcher differs: it is none on h1 and ranks on h0", "h1: launcher differs",
		},
		{
			"restarts", func(c *Config) { c.Digests.MaxRestarts = "2" },
			"h0 refuses: --max-restarts differs: it is 2 on h1 and 0 on h0", "h1: --max-restarts differs",
		},
		{
			"end", func(c *Config) { c.Digests.Until = "leader" },
			"h0 refuses: --until differs: it is leader on h1 and all on h0", "h1: --until differs",
		},
		{
			"style", func(c *Config) { c.Digests.ArgsStyle = "gnu" },
			"h0 refuses: --args-style differs: it is gnu on h1 and toolkit on h0", "h1: --args-style differs",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			testDifferingHost(t, c.change, c.want, c.leader)
		})
	}
}

// testDifferingHost lets h1 differ from the leader, and checks the beginnings of what both say.
func testDifferingHost(t *testing.T, change func(*Config), want, atLeader string) {
	t.Helper()
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	leader := n.open(0)
	n.change = change
	odd := n.open(1)
	odd.Ready(nil)
	if _, err := odd.Gather(ctx); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("h1: %v, want %s…", err, want)
	}
	_ = odd.Leave(ctx, 0)
	if atLeader == "" {
		if leader.Context().Err() != nil {
			t.Error("the leader gave up")
		}
		leader.Stopped()
	} else if _, err := leader.Gather(ctx); err == nil || !strings.HasPrefix(err.Error(), atLeader) {
		t.Errorf("h0: %v, want %s…", err, atLeader)
	}
	leader.End(End{Code: 1})
	_ = leader.Leave(ctx, 0)
}

// TestSecondHostWithOneNameIsRefused: the second of two hosts with one name is refused, and the job goes on
// with the first.
func TestSecondHostWithOneNameIsRefused(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	leader, first := n.open(0), n.open(1)
	first.Ready(nil)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for countMissing(leader) > 1 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	second := n.open(1)
	const want = "h0 refuses: two hosts say that they are h1: one at 127.1.0.1, and one at 127.1.0.1"
	if _, err := second.Gather(ctx); err == nil || err.Error() != want {
		t.Error(err)
	}
	_ = second.Leave(ctx, 0)
	leader.Ready(nil)
	if _, err := first.Gather(ctx); err != nil {
		t.Error(err)
	}
	leave(t, []*Session{leader, first}, End{}, End{})
}

// TestStrangersAreRefused: a peer that is no host of the job learns nothing, and the job goes on.
func TestStrangersAreRefused(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	leader := n.open(0)
	h := leader.nextHello()
	h.Host, h.Instance = "h1", "stranger"
	good, _ := json.Marshal(h)
	controls := bytes.Replace(good, []byte(`"stranger"`), []byte(`"a\nb"`), 1)
	url := fmt.Sprintf("http://127.0.0.1:%d%s", n.port, syncPath)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for what, c := range map[string]struct {
		url    string
		body   []byte
		status int
	}{
		"a replay from elsewhere": {url, good, http.StatusServiceUnavailable},
		"rubbish":                 {url, []byte("rubbish"), http.StatusBadRequest},
		"too much":                {url, bytes.Repeat([]byte(" "), maxHello+1), http.StatusBadRequest},
		"another path":            {url + "/x", good, http.StatusNotFound},
		"control characters":      {url, controls, http.StatusBadRequest},
	} {
		answer, err := client.Post(c.url, "application/json", bytes.NewReader(c.body))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != c.status || !bytes.Contains(text, []byte(`"refused":`)) {
			t.Errorf("%s: status %d, want %d: %s", what, answer.StatusCode, c.status, text)
		}
	}
	for range 1000 { // peers that say nothing
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), syncPath))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	peer := n.open(1)
	peer.Ready(nil)
	leader.Ready(nil)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if _, err := peer.Gather(ctx); err != nil {
		t.Error(err)
	}
	leave(t, []*Session{leader, peer}, End{}, End{})
}
