package rendezvous

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestKeyPairFollowsRFC5869: the seed of a key pair is the first block of HKDF with SHA-256, with the job
// as the salt and the label as the info.
func TestKeyPairFollowsRFC5869(t *testing.T) {
	mac := func(key, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	secret := strings.Repeat("s", keySize)
	want := ed25519.NewKeyFromSeed([]byte(mac(mac("arn:job", secret), "entrain test 1\x01")))
	got, err := Key{secret}.KeyPair("arn:job", "entrain test 1")
	if err != nil || !got.Equal(want) {
		t.Errorf("%x, %v, expected %x", got, err, want)
	}
}

// TestKeyPairsDiffer: another secret, another job or another label gives another key pair.
func TestKeyPairsDiffer(t *testing.T) {
	secret, other := strings.Repeat("s", keySize), strings.Repeat("o", keySize)
	seen := map[string]string{}
	for _, of := range [][3]string{
		{secret, "job", "label"},
		{other, "job", "label"},
		{secret, "job2", "label"},
		{secret, "job", "label2"},
		{secret, "", "joblabel"},
		{secret, "jobl", "abel"},
	} {
		pair, err := Key{of[0]}.KeyPair(of[1], of[2])
		if err != nil {
			t.Fatal(err)
		}
		if same, found := seen[string(pair)]; found {
			t.Errorf("%q and %s have one key pair", of, same)
		}
		seen[string(pair)] = fmt.Sprintf("%q", of)
	}
}

// TestKeyIsReadButNeverPrinted: ParseKey reads the text of NewKey, and says what is wrong with any other
// text.
func TestKeyIsReadButNeverPrinted(t *testing.T) {
	text := NewKey()
	key, err := ParseKey(text)
	if err != nil || !key.isSet() || fmt.Sprintf("%v %+v %#v", key, key, key) != "****** ****** ******" {
		t.Errorf("%v, %v", key, err)
	}
	for bad, got := range map[string]string{
		"": "nothing", " \n": "nothing", "abc": "3 characters", strings.Repeat("a", 63): "63 characters",
		strings.Repeat("a", 66) + "\n": "66 characters",
		strings.Repeat("z", 64):        "64 characters of which some are no hexadecimal digits",
	} {
		want := "expected the 64 hexadecimal digits that entrain keygen writes, got " + got
		if _, err := ParseKey(bad); err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", bad, err, want)
		}
	}
}

// TestOnlyHostsWithOneKeyMeet: a host with another key, a key of another job, or no key is refused and
// learns why. The leader need not wait for it any longer.
func TestOnlyHostsWithOneKeyMeet(t *testing.T) {
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
	const different = "h0 refuses: its cluster key and the one here are different"
	for _, c := range []struct {
		what   string
		change func(*Config)
		want   string
		leader string
	}{
		{"another", with("b"), different, lacksKey + "it has another one"},
		{
			"another job's", func(c *Config) { with("a")(c); c.Job = "arn:other" }, different,
			lacksKey + "it has another one",
		},
		{
			"none", func(*Config) {}, "h0 refuses: it has a cluster key, and this host has none",
			lacksKey + "it has none",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 2)
			n.change = with("a")
			leader := n.open(0)
			n.change = c.change
			odd := n.open(1)
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			if _, err := odd.Gather(ctx); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			_ = odd.Leave(ctx, 0)
			if _, err := leader.Gather(ctx); err == nil || err.Error() != "h1: "+c.leader {
				t.Errorf("the leader: %v, want h1: %s", err, c.leader)
			}
			if !n.warned("refused a connection from 127.1.0.1: " + c.leader) {
				t.Errorf("warnings: %q", n.warns)
			}
			leader.End(End{Code: 143})
			_ = leader.Leave(ctx, 0)
		})
	}
}

// TestStrangerWithoutKeyEndsNothing: only a host's own address makes a peer that host.
func TestStrangerWithoutKeyEndsNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	for what, key := range map[string]Key{"none": {}, "another": {strings.Repeat("b", keySize)}} {
		n := newNetwork(t, 2)
		n.change = func(c *Config) { c.Key = Key{strings.Repeat("a", keySize)} }
		leader := n.open(0)
		leader.Ready(nil)
		n.change = func(c *Config) { c.Key, c.localAddr = key, &net.TCPAddr{IP: address(9).AsSlice()} }
		stranger := n.open(1) // it says that it is h1
		ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
		defer cancel()
		if _, err := stranger.Gather(ctx); err == nil {
			t.Errorf("%s: a stranger is released", what)
		}
		_ = stranger.Leave(ctx, 0)
		n.change = func(c *Config) { c.Key = Key{strings.Repeat("a", keySize)} }
		peer := n.open(1)
		peer.Ready(nil)
		if _, err := peer.Gather(ctx); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		leave(t, []*Session{leader, peer}, End{}, End{})
	}
}

// TestHostWithoutUsableKeyTellsWhy: a host whose own key cannot be used joins without one, to say so.
func TestHostWithoutUsableKeyTellsWhy(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	n.change = func(c *Config) { c.Key = Key{strings.Repeat("a", keySize)} }
	leader, other := n.open(0), n.open(2)
	n.change = func(c *Config) { c.Digests = Digests{} }
	failed := n.open(1)
	failed.End(End{Code: 64, Text: "the cluster key in x: expected more", At: time.Now()})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := failed.Leave(ctx, testTimeout); err != nil {
		t.Error(err)
	}
	for i, s := range []*Session{leader, other} {
		_, err := s.Gather(ctx)
		if e, ok := errors.AsType[*PeerError](err); !ok || e.Code != 64 ||
			e.Error() != "h1: the cluster key in x: expected more" {
			t.Errorf("session %d: %v", i, err)
		}
	}
	leave(t, []*Session{leader, other}, End{Code: 64}, End{Code: 64})
}
