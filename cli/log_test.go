//go:build linux

package cli

import (
	"strings"
	"testing"
)

// TestLogIsPrintable: what others sent reaches neither form of the log as something that a terminal acts on,
// and does not hide a secret.
func TestLogIsPrintable(t *testing.T) {
	const said = "algo-2: a\x1b]0;title\a\x1b[31mb\u202e\u009b1mc\u2028d\ufeffe, sec\u200bret \"\\\x1b"
	for format, want := range map[string]string{
		"text": "entrain: warning: algo-2: abc de, ****** \"\\\n",
		"json": `","message":"algo-2: abc de, ****** \"\\"}` + "\n",
	} {
		var out strings.Builder
		s := defaults(nil)
		s.logFormat = format
		l := logbook{stderr: &out, settings: &s, host: "h", mask: func(text string) string {
			return strings.ReplaceAll(text, "secret", "******")
		}}
		log := l.logger()
		log.Warn().Str("name", "n\x00").Msg(said)
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s: %q, want …%q", format, out.String(), want)
		}
	}
	for _, broken := range []string{``, `"`, `{"a":"\`, `{"a":"b`, `{"a":"\u001b"`} {
		_ = printableJSON([]byte(broken)) // it must not panic
	}
}
