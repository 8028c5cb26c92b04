package mpi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitWordsReadsQuotesAsAShell(t *testing.T) {
	for text, want := range map[string][]string{
		"":                              nil,
		" a\tb\n c ":                    {"a", "b", "c"},
		`-x A=b --mca btl tcp`:          {"-x", "A=b", "--mca", "btl", "tcp"},
		`'a b' "c d" e\ f`:              {"a b", "c d", "e f"},
		`"" ''`:                         {"", ""},
		`a"b"'c'd`:                      {"abcd"},
		`"\$x \" \\ \q"`:                {`$x " \ \q`},
		"a\\\nb \\\n c":                 {"ab", "c"},
		"\"a\\\nb\"":                    {"ab"},
		"$HOME \"$HOME `id`\" *.py ~ #": {"$HOME", "$HOME `id`", "*.py", "~", "#"},
	} {
		got, err := SplitWords(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{
		`a 'b`:   "a single quote has no end",
		`a "b`:   "a double quote has no end",
		`a \`:    "nothing follows the last backslash",
		`a && b`: `'&' outside quotes: no shell reads this; quote it, or start a shell with sh -c '…'`,
	} {
		if _, err := SplitWords(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// FuzzSplitWords: any text gives words or an error. A text with more than blanks and backslashes has words.
func FuzzSplitWords(f *testing.F) {
	f.Add(`a "b\"c" 'd' \e`)
	f.Fuzz(func(t *testing.T, text string) {
		words, err := SplitWords(text)
		if err == nil && len(words) == 0 && strings.Trim(text, " \t\n\\") != "" {
			t.Fatalf("%q has no words", text)
		}
	})
}
