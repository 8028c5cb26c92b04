package contract

import (
	"strings"
	"unicode/utf8"
)

// otherEncoding names the encoding of a text that is not UTF-8 alone: with a byte order mark, UTF-16 or
// UTF-32. Editors on Windows write these. It is empty for UTF-8.
func otherEncoding(text string) (what, hint string) {
	const save = "save the file as UTF-8, without a byte order mark"
	if strings.HasPrefix(text, "\x00\x00\x00\x00") {
		return "", "" // NULs alone are no character of any encoding
	}
	for _, e := range []struct{ mark, name string }{
		{"\xff\xfe\x00\x00", "UTF-32"},
		{"\x00\x00\xfe\xff", "UTF-32"},
		{"\xff\xfe", "UTF-16"},
		{"\xfe\xff", "UTF-16"},
		{"\x00\x00\x00", "UTF-32"}, // without a mark, NULs are the other bytes of an ASCII character
		{"\x00", "UTF-16"},
	} {
		if strings.HasPrefix(text, e.mark) {
			return "the text is " + e.name + ", expected UTF-8", save
		}
	}
	switch {
	case strings.HasPrefix(text, "\xef\xbb\xbf"):
		return "the text begins with a byte order mark (BOM), expected '{'", save
	case len(text) >= 4 && text[1:4] == "\x00\x00\x00":
		return "the text is UTF-32, expected UTF-8", save
	case len(text) >= 2 && text[1] == 0:
		return "the text is UTF-16, expected UTF-8", save
	}
	return "", ""
}

// invalidUTF8 returns the offset of the first byte that is not valid UTF-8, or -1.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return -1
}
