package proc

import "testing"

func TestALineIsTaggedAsATerminalShowsIt(t *testing.T) {
	for _, c := range []struct {
		what   string
		pieces []string
		want   string
	}{
		{"whole lines", []string{"a\nb\n"}, "[rank 3] a\n[rank 3] b\n"},
		{"a line in pieces", []string{"a", "", "b", "c\nd", "\n"}, "[rank 3] abc\n[rank 3] d\n"},
		{"an empty line", []string{"\n"}, "[rank 3] \n"},
		{"no end yet", []string{"a\nb"}, "[rank 3] a\n"},
		{"nothing", []string{""}, ""},
		{"a progress bar", []string{"10%\r", "20%\r30%", "\r40%\nnext\n"}, "[rank 3] 40%\n[rank 3] next\n"},
		{"a bar with a return at its end", []string{"99%\r", "100%\r", "\n"}, "[rank 3] 100%\n"},
		{"ends of DOS", []string{"a\r\nb\r", "\n"}, "[rank 3] a\n[rank 3] b\n"},
		{"two returns", []string{"a\r\r\nb\r\rc\n"}, "[rank 3] a\n[rank 3] c\n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			tags := &tagger{tag: "[rank 3] "}
			var got []byte
			for _, piece := range c.pieces {
				got = append(got, tags.add([]byte(piece))...)
			}
			if string(got) != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
}
