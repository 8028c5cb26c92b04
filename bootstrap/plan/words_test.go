package plan

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/mpi"
)

func TestACommandIsWordsOfAShellOrAJSONArray(t *testing.T) {
	for text, want := range map[string][]string{
		``:                                 nil,
		`python3 train.py --lr 0.1`:        {"python3", "train.py", "--lr", "0.1"},
		" a\tb\n c ":                       {"a", "b", "c"},
		`'a b' "c d" e\ f`:                 {"a b", "c d", "e f"},
		`"" ''`:                            {"", ""},
		`a"b"'c'd`:                         {"abcd"},
		`"\$x \" \\ \q"`:                   {`$x " \ \q`},
		`'it'\''s'`:                        {"it's"},
		"a\\\nb":                           {"ab"},
		`$HOME ${SM_HP_LR} *.py ~ #x`:      {"$HOME", "${SM_HP_LR}", "*.py", "~", "#x"},
		`["python3", "a b", "\u00e9", ""]`: {"python3", "a b", "é", ""},
		` []`:                              nil,
	} {
		got, err := parseCommand(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestATextThatIsNoCommandIsAnError(t *testing.T) {
	const outsideQuotes = " outside quotes: no shell reads this; quote it, or start a shell with sh -c '…'"
	const noArray = "not a JSON array of strings: "
	for text, want := range map[string]string{
		`a 'b`:       "a single quote has no end",
		`a "b`:       "a double quote has no end",
		`a \`:        "nothing follows the last backslash",
		`a && b`:     "'&'" + outsideQuotes,
		`a > b`:      "'>'" + outsideQuotes,
		`["a", 1]`:   "a JSON array with a whole number in it, expected strings",
		`["a"`:       noArray + "byte 4: found the end of the file where a list needs ',' or ']'",
		`["a"] more`: noArray + "byte 6: found 'm' after the end of the JSON document",
	} {
		if _, err := parseCommand(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// FuzzWords has quoted words read by splitWords and by a real shell. Both find the same words.
func FuzzWords(f *testing.F) {
	f.Add("a b", "it's", "")
	f.Add("$HOME", "`id`;", "\\\n\"")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		words := []string{a, b, c}
		for _, w := range words {
			if strings.ContainsRune(w, 0) {
				return
			}
		}
		line := quoteWords(words)
		got, err := mpi.SplitWords(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if diff := cmp.Diff(words, got); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", line, diff)
		}
		out, err := exec.Command("sh", "-c", "printf '%s\\0' "+line).Output()
		if err != nil {
			t.Fatalf("sh: %v: %q", err, line)
		}
		if want := strings.Join(words, "\x00") + "\x00"; string(out) != want {
			t.Fatalf("sh reads %q of %q, want %q", out, line, want)
		}
	})
}

func TestOnlyReferencesToEntrainsVariablesAreExpanded(t *testing.T) {
	env := []string{"SM_X=1 2", "SM_HP_A-B=$SM_X", "ENTRAIN_Y="}
	for in, want := range map[string]string{
		"a${SM_X}b${SM_X}": "a1 2b1 2",
		"${SM_HP_A-B}":     "$SM_X",
		"[${ENTRAIN_Y}]":   "[]",
		"$$x$$":            "$$x$$",
		"$${SM_X}":         "${SM_X}",
		"$SM_X":            "$SM_X",
		"${HOME} $(id) $":  "${HOME} $(id) $",
		"${SM_X":           "${SM_X",
		"":                 "",
	} {
		if got, err := expandWord(in, env); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"${SM_NOPE}", "${ENTRAIN_}", "x${SM_X:-1}"} {
		if got, err := expandWord(in, env); err == nil {
			t.Errorf("%q: %q and no error", in, got)
		}
	}
}
