package remote

import (
	"strings"
	"testing"
)

// FuzzMessage: whatever comes over the socket, what is taken of it keeps its bounds.
func FuzzMessage(f *testing.F) {
	f.Add(`{"host":"h1","words":["YQ==","Yg=="]}` + "\n")
	f.Add(`{"rank":3}` + "\n")
	f.Add(`{"code":143,"signal":15,"text":"a\nb","at":"2020-01-02T03:04:05Z"}` + "\n")
	f.Add(`{"code":0`)
	f.Add(`{"code":0,"signal":9}` + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := readRsh(newLines(strings.NewReader(s))); err == nil && (c.Host == "" || len(c.Words) == 0) {
			t.Errorf("%+v", c)
		}
		if c, err := readRank(newLines(strings.NewReader(s))); err == nil && c.Rank < 0 {
			t.Errorf("%+v", c)
		}
		e, err := readEnd(newLines(strings.NewReader(s)))
		if len(e.Text) > maxText || strings.ContainsAny(e.Text, "\x00\n\r\x1b") || err == nil && (e.Code < 0 || e.Code > 255 || e.Code == 0 && e.Signal > 0) {
			t.Errorf("%+v", e)
		}
	})
}

// FuzzRshArgs: what is taken is a host and words that were there, in their order, and no option's value is the host.
func FuzzRshArgs(f *testing.F) {
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
		if host == "" || len(words) == 0 || host != tail[0] || strings.Join(words, "\x00") != strings.Join(tail[1:], "\x00") {
			t.Errorf("%q: %q, %q", args, host, words)
		}
		if strings.HasPrefix(host, "-") && !strings.Contains(s, "--\x00"+host) {
			t.Errorf("%q: the option %q is taken for a host", args, host)
		}
	})
}
