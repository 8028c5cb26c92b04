package remote

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzMessageKeepsItsBounds: a message that is accepted keeps its bounds, whatever comes over the socket.
func FuzzMessageKeepsItsBounds(f *testing.F) {
	f.Add(`{"host":"h1","words":["YQ==","Yg=="]}` + "\n")
	f.Add(`{"rank":3}` + "\n")
	f.Add(`{"code":143,"signal":15,"text":"a\nb","at":"2020-01-02T03:04:05Z"}` + "\n")
	f.Add(`{"code":0`)
	f.Add(`{"code":0,"signal":9}` + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		lines := func() lineReader { return newLineReader(strings.NewReader(s)) }
		if c, err := readRsh(lines()); err == nil && (c.Host == "" || len(c.Words) == 0) {
			t.Errorf("%+v", c)
		}
		if c, err := readRank(lines()); err == nil && c.Rank < 0 {
			t.Errorf("%+v", c)
		}
		e, err := readEnd(lines())
		if len(e.Text) > maxText || !utf8.ValidString(e.Text) {
			t.Errorf("%+v", e)
		}
		if err == nil && (e.Code < 0 || e.Code > 255 || e.Code == 0 && e.Signal > 0) {
			t.Errorf("%+v", e)
		}
	})
}

// FuzzParseRshKeepsTheWords: host and words are the last arguments, in their order. No option and no option's
// value is taken for the host.
func FuzzParseRshKeepsTheWords(f *testing.F) {
	f.Add("-x\x00h1\x00orted\x00-mca")
	f.Add("-q\x00-n\x00-p\x0022\x00-oA=b\x00-l\x00root\x00--\x00h1\x00true")
	f.Add("-p")
	f.Fuzz(func(t *testing.T, s string) {
		args := strings.Split(s, "\x00")
		host, words, err := parseRsh(args)
		if err != nil {
			return
		}
		tail := args[len(args)-len(words)-1:]
		if host == "" || len(words) == 0 || host != tail[0] || !slices.Equal(words, tail[1:]) {
			t.Errorf("%q: %q, %q", args, host, words)
		}
		if strings.HasPrefix(host, "-") && !strings.Contains(s, "--\x00"+host) {
			t.Errorf("%q: the option %q is taken for a host", args, host)
		}
	})
}
