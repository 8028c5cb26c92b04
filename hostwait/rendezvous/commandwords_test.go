package rendezvous

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// spoken makes the words of a command that hold no secret.
func spoken(words ...string) []Word {
	list := make([]Word, len(words))
	for i, word := range words {
		list[i] = Word{Digest: fmt.Sprintf("%x", word), Text: word}
	}
	return list
}

// TestCommandsThatDifferInAWord: the leader names the word, the host and both values, and the job begins.
func TestCommandsThatDifferInAWord(t *testing.T) {
	many := strings.Fields("p 1 2 3 4 5 6 7")
	long := strings.Fields(strings.Repeat("w ", 300))
	for _, c := range []struct {
		name         string
		mine, theirs []Word
		want, not    []string
	}{
		{"the same", spoken("p", "1"), spoken("p", "1"), nil, []string{"differ"}},
		{
			"a number of the host", spoken("torchrun", "--node-rank", "0"), spoken("torchrun", "--node-rank", "1"),
			[]string{`the command's word 3 differs: h1 has "1", and h0 has "0"`},
			[]string{"word 2"},
		},
		{
			"a word less", spoken("p", "--head"), spoken("p"),
			[]string{`word 2 differs: h1 has none, and h0 has "--head"`},
			nil,
		},
		{
			"a word more", spoken("p"), spoken("p", "x"),
			[]string{`word 2 differs: h1 has "x", and h0 has none`},
			nil,
		},
		{
			"many", spoken(many...), spoken("p", "a", "b", "c", "d", "e", "f", "g"),
			[]string{`word 4 differs: h1 has "c"`, "4 more words of the command of h1 differ"},
			[]string{"word 5"},
		},
		{
			"a secret",
			[]Word{{"p", "p"}, {"a0", "--key=******"}},
			[]Word{{"p", "p"}, {"b1", "--key=******"}},
			[]string{`word 2 differs: h1 has "--key=******", and h0 has "--key=******"`},
			nil,
		},
		{
			"behind the bound", spoken(long...), spoken(append(slices.Clone(long), "x")...),
			[]string{`word 200 differs: h1 has "(this word or one of the 101 after it)"`},
			[]string{"word 199"},
		},
		{"no command here", nil, spoken("p"), nil, []string{"differ"}},
		{"no command there", spoken("p"), nil, nil, []string{"differ"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			n := newNetwork(t, 2)
			n.change = func(config *Config) {
				if config.Command = c.mine; config.Self.Host == "h1" {
					config.Command = c.theirs
				}
			}
			all := []*Session{n.open(0), n.open(1)}
			for _, s := range all {
				s.Ready(nil)
			}
			for i, s := range all {
				if _, err := s.Gather(t.Context()); err != nil {
					t.Errorf("h%d: %v", i, err)
				}
			}
			leave(t, all, End{}, End{})
			for _, text := range c.want {
				if !n.warned(text) {
					t.Errorf("no warning %q in %q", text, n.warns)
				}
			}
			for _, text := range c.not {
				if n.warned(text) {
					t.Errorf("a warning %q in %q", text, n.warns)
				}
			}
		})
	}
}

// TestManyCommandsThatDiffer: the first hosts are named, and the others counted.
func TestManyCommandsThatDiffer(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 7)
	n.change = func(c *Config) { c.Command = spoken("p", c.Self.Host) }
	all := make([]*Session, 7)
	ends := make([]End, len(all))
	for i := range all {
		all[i] = n.open(i)
		all[i].Ready(nil)
	}
	for i, s := range all {
		if _, err := s.Gather(t.Context()); err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
	leave(t, all, ends...)
	told := strings.Count(strings.Join(n.warns, "\n"), "the command's word 2 differs")
	if told != maxTold || !n.warned("the commands of 3 more hosts differ from that of h0") {
		t.Errorf("%d hosts are named in %q", told, n.warns)
	}
}
