package rendezvous

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"entrain/hostwait"

	"go.uber.org/goleak"
)

// TestRefused: two hosts that do not fit together both say so, and name both sides.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Config) // of h1
		want   string        // at h1
		leader string        // at the leader; empty where the job goes on without h1
	}{
		{"command", func(c *Config) { c.Digests.Command = "d" }, "h0 refuses: command differs: it is d on h1 and c on h0", "h1: command differs: it is d on h1 and c on h0"},
		{"hyperparameters", func(c *Config) { c.Digests.Hyperparameters = "d" }, "h0 refuses: hyperparameters differ", "h1: hyperparameters differ"},
		{"hosts", func(c *Config) { c.Digests.Hosts = "d" }, "h0 refuses: hosts differ", "h1: hosts differ"},
		{"verb", func(c *Config) { c.Mode = "exec" }, "h0 refuses: verb differs: it is exec on h1 and run on h0", "h1: verb differs"},
		{"unknown", func(c *Config) { c.Self.Host = "h9" }, "h0 refuses: h9 at 127.1.0.1 is not a host of this job: [h0 h1 h2]", ""},
		{"a key here alone", func(c *Config) { c.Key = Key{strings.Repeat("x", keySize)} }, "h0 refuses: it has no cluster key, and this host has one", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 3)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			leader := n.open(0)
			n.change = c.change
			odd := n.open(1)
			odd.Ready(nil)
			if _, err := odd.Gather(ctx); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("h1: %v, want %s…", err, c.want)
			}
			_ = odd.Leave(ctx, 0)
			if c.leader == "" {
				if leader.Context().Err() != nil {
					t.Error("the leader gave up")
				}
				leader.Stopped()
			} else if _, err := leader.Gather(ctx); err == nil || !strings.HasPrefix(err.Error(), c.leader) {
				t.Errorf("h0: %v, want %s…", err, c.leader)
			}
			leader.End(End{Code: 1})
			_ = leader.Leave(ctx, 0)
		})
	}
}

func TestKeys(t *testing.T) {
	with := func(text string) func(*Config) {
		return func(c *Config) { c.Key, c.Job = Key{strings.Repeat(text, keySize)}, "arn:job" }
	}
	t.Run("the same", func(t *testing.T) {
		defer goleak.VerifyNone(t)
		n := newNetwork(t, 3)
		n.change = with("a")
		for i, err := range leave(t, n.gather(), End{}, End{}, End{}) {
			if err != nil {
				t.Errorf("h%d: %v", i, err)
			}
		}
	})
	for _, c := range []struct {
		what   string
		change func(*Config)
		want   string
	}{
		{"another", with("b"), "h0 refuses: its cluster key and the one here are different"},
		{"another job's", func(c *Config) { with("a")(c); c.Job = "arn:other" }, "h0 refuses: its cluster key and the one here are different"},
		{"none", func(*Config) {}, "h0 refuses: it has a cluster key, and this host has none"},
	} {
		t.Run(c.what, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 2)
			n.change = with("a")
			leader := n.open(0)
			n.change = c.change
			odd := n.open(1)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := odd.Gather(ctx); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			_ = odd.Leave(ctx, 0)
			if c.what != "none" {
				wait := time.Now().Add(patience)
				for !n.warned("came without this cluster's key") && time.Now().Before(wait) {
					time.Sleep(time.Millisecond)
				}
				if why := leader.Missing()[1].Err.Error(); !strings.Contains(why, "127.1.0.1 was refused: came without this cluster's key") {
					t.Errorf("of h1 the leader says: %s", why)
				}
			}
			leader.Stopped()
			leader.End(End{Code: 143})
			_ = leader.Leave(ctx, 0)
		})
	}
}

// TestDuplicate: of two hosts with one name the second is refused, and the job goes on with the first.
func TestDuplicate(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	leader, first := n.open(0), n.open(1)
	first.Ready(nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(leader.Missing()) > 1 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	second := n.open(1)
	if _, err := second.Gather(ctx); err == nil || err.Error() != "h0 refuses: two hosts say that they are h1: one at 127.1.0.1, and one at 127.1.0.1" {
		t.Error(err)
	}
	_ = second.Leave(ctx, 0)
	leader.Ready(nil)
	if _, err := first.Gather(ctx); err != nil {
		t.Error(err)
	}
	leave(t, []*Session{leader, first}, End{}, End{})
}

// TestStrangers: whoever is no peer gets nothing, and the job goes on.
func TestStrangers(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	leader := n.open(0)
	h := leader.hello()
	h.Host, h.Instance = "h1", "stranger"
	good, _ := json.Marshal(h)
	url := fmt.Sprintf("http://127.0.0.1:%d%s", n.port, path)
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
		"control characters":      {url, bytes.Replace(good, []byte(`"stranger"`), []byte(`"a\nb"`), 1), http.StatusBadRequest},
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
	for range 1000 { // that say nothing
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), path))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	peer := n.open(1)
	peer.Ready(nil)
	leader.Ready(nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := peer.Gather(ctx); err != nil {
		t.Error(err)
	}
	leave(t, []*Session{leader, peer}, End{}, End{})
}

// TestStop: a SIGTERM on one host stops all; what their trainers then end with is their own.
func TestStop(t *testing.T) {
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
		t.Error("the host that was stopped is stopped again")
	}
	for i, err := range leave(t, all, End{Code: 143}, End{Code: 143}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
}

// TestIgnore: with Ignore a failure elsewhere is none here.
func TestIgnore(t *testing.T) {
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

// TestDiagnosis: why the leader cannot be reached.
func TestDiagnosis(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	for what, c := range map[string]struct {
		lookup hostwait.Lookup
		want   string
	}{
		"closed":  {lookup, "127.0.0.1:PORT refuses connections: entrain has not started there, or has ended, or another image runs there"},
		"no name": {func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }, "its name does not resolve: no such host"},
		"no answer": {func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil // nobody has it (RFC 5737)
		}, "192.0.2.7:PORT does not answer: the port is filtered, as by a security group without a rule that admits its own members, or the host is gone"},
	} {
		n.change = func(config *Config) { config.Lookup, config.local, config.PeerTimeout = c.lookup, nil, time.Second }
		s := n.open(1)
		deadline := time.Now().Add(patience)
		for len(s.Missing()) == 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		want := strings.ReplaceAll(c.want, "PORT", fmt.Sprint(n.port))
		if m := s.Missing(); len(m) != 1 || m[0].Host != "h0" || m[0].Err.Error() != want {
			t.Errorf("%s: %v, want %s", what, m, want)
		}
		_ = s.Leave(t.Context(), 0)
	}
}

// TestDoubts: what may be wrong with a host's own name and interface.
func TestDoubts(t *testing.T) {
	at := func(addr string) hostwait.Lookup {
		return func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(addr)}, nil
		}
	}
	for what, c := range map[string]struct {
		network string
		lookup  hostwait.Lookup
		want    string
		listen  string
	}{
		"fine":         {"lo", at("127.0.0.1"), "", "127.0.0.1"},
		"elsewhere":    {"lo", at("192.0.2.7"), "h0 is this host's name, but it resolves to [192.0.2.7], and this host has [", "127.0.0.1"},
		"no interface": {"eth77", at("127.0.0.1"), "this host has no interface eth77, which network_interface_name names (it has lo", "127.0.0.1"},
		"neither":      {"eth77", at("192.0.2.7"), "this host has no interface eth77", "invalid IP"},
	} {
		config := newNetwork(t, 1).config(0)
		config.Interface, config.Lookup = c.network, c.lookup
		h := findHome(t.Context(), &config)
		if doubts := strings.Join(h.doubts(&config), "\n"); !strings.HasPrefix(doubts, c.want) || (c.want == "") != (doubts == "") {
			t.Errorf("%s: %q, want %q", what, doubts, c.want)
		}
		if at := h.listenAt().String(); at != c.listen {
			t.Errorf("%s: listens at %s, want %s", what, at, c.listen)
		}
	}
}

func TestKeyText(t *testing.T) {
	text := NewKey()
	key, err := ParseKey(text)
	if err != nil || !key.there() || fmt.Sprintf("%v %+v %#v", key, key, key) != "****** ****** ******" {
		t.Errorf("%v, %v", key, err)
	}
	for bad, got := range map[string]string{
		"": "nothing", " \n": "nothing", "abc": "3 characters", strings.Repeat("a", 63): "63 characters",
		strings.Repeat("a", 66) + "\n": "66 characters", strings.Repeat("z", 64): "64 characters of which some are no hexadecimal digits",
	} {
		want := "expected the 64 hexadecimal digits that entrain keygen writes, got " + got
		if _, err := ParseKey(bad); err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", bad, err, want)
		}
	}
}

// FuzzHello: whatever comes, a hello that is taken keeps its bounds.
func FuzzHello(f *testing.F) {
	good, _ := json.Marshal(hello{Protocol: 1, Instance: "i", Member: Member{Host: "h"}, Ended: &ended{Code: 1, Text: "t"}})
	f.Add(good)
	f.Add([]byte(`{"host":"h","instance":"i","pending":["a"],"hold":9e18}`))
	f.Add([]byte(`{"host":"h","instance":"i","fault":{"host":"g","code":0,"text":"g is none of this job's hosts","age":5}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHello(bytes.NewReader(data))
		if err != nil {
			return
		}
		if h.Host == "" || len(h.Host) > maxWord || h.Slots < 0 || milliseconds(h.Hold) < 0 || h.Ended != nil && (h.Ended.Code > 255 || len(h.Ended.Text) > maxText) {
			t.Errorf("%+v", h)
		}
		if h.Fault != nil && h.Fault.Code == 0 {
			t.Errorf("a fault with code 0: %+v", h.Fault)
		}
		if strings.ContainsAny(h.Host+h.Version+h.Mode+strings.Join(h.Pending, ""), "\x00\n\r\x1b") {
			t.Errorf("%q", h.Host)
		}
	})
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\nb")
	f.Fuzz(func(t *testing.T, s string) {
		if got := oneLine(strings.Repeat(s, 40)); len(got) > maxText || !isPrintable(got) {
			t.Errorf("%q", got)
		}
	})
}
