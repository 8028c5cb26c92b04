package cause

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestPrintable: only what a reader sees is left.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"a\tb\nc":                              "a\tb\nc",
		"a\x00b\x07c\x7fd":                     "abcd",
		"a\rb\vc\fd":                           "a b c d",
		"\x1b[31;1mred\x1b[0m":                 "red",
		"\x1b]0;title\aa":                      "a",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\a": "link",
		"a\x1bPdevice\x1b\\b":                  "ab",
		"a\x1b^private\x1b\\b\x1b_app\u009cc":  "abc",
		"\x1b]no end\nb":                       "\nb",
		"\u009d0;title\u009ca\u0090x\u009cb":   "ab",
		"\u009b1mbold\u0085next":               "bold next",
		"a\x1b(Bb\x1bcc\x1b":                   "abc",
		"\x1b[31\nb":                           "\nb",
		"a\u202eb\u2066c\u200fd\u061ce":        "abcde",
		"a\u2028b\u2029c\ufeffd\u200be":        "a b cde",
		"a\xffb\x9bc":                          "a\ufffdb\ufffdc",
		"é 日本語 👩\u200d💻 \u00a0":                "é 日本語 👩\u200d💻 \u00a0",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := OneLine("a\tb\nc\x1b[0m"); got != "a b c" {
		t.Errorf("OneLine: %q", got)
	}
}

// FuzzPrintable: nothing that is printable once changes, and no control character is left.
func FuzzPrintable(f *testing.F) {
	f.Add("\x1b]0;a\x1b\\b\u009b1m\x1b")
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		if Printable(got) != got || !utf8.ValidString(got) {
			t.Errorf("%q: %q, and then %q", text, got, Printable(got))
		}
		hidden := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0x202e }
		if strings.IndexFunc(got, hidden) >= 0 || strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q: %q", text, got)
		}
	})
}
