package cause

import (
	"strings"
	"unicode/utf8"
)

// Printable returns a text that a terminal and the readers of a log show as it is, in valid UTF-8. It removes
// the control characters of Unicode but newline and tab, the characters that change the direction of text
// (Unicode Standard Annex 9), U+200B and U+FEFF, which nobody sees, and all sequences that begin with ESC
// (ECMA-48). A sequence that carries text, such as a title of the window or a link, goes with its text. A
// control character that separates words, U+2028 and U+2029 become spaces.
func Printable(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if strings.IndexFunc(text, isHidden) < 0 {
		return text
	}
	var kept strings.Builder
	kept.Grow(len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case !isHidden(r):
			kept.WriteRune(r)
		case strings.ContainsRune("\r\v\f\u0085\u2028\u2029", r):
			kept.WriteByte(' ')
		default:
			size = sequenceLength(text)
		}
		text = text[size:]
	}
	return kept.String()
}

// OneLine is Printable for a text that must be one line: newlines and tabs become spaces too.
func OneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Printable(text))
}

// isHidden reports whether Printable removes or replaces a character.
func isHidden(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t'
	case r < 0x7f:
		return false
	case r < 0xa0, r == 0x061c, r == 0xfeff:
		return true
	}
	return 0x200b <= r && r <= 0x200f && r != 0x200c && r != 0x200d ||
		0x2028 <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

// sequenceLength is the number of bytes of the sequence that the control character at the start of text
// begins. A character that begins none is a sequence by itself. U+0090 and the like mean the same as ESC P.
func sequenceLength(text string) int {
	first, size := utf8.DecodeRuneInString(text)
	kind := first - 0x40
	if first == '\x1b' {
		if len(text) == size || text[size] == '\n' {
			return size
		}
		next, n := utf8.DecodeRuneInString(text[size:])
		kind, size = next, size+n
	} else if first < 0x80 || first > 0x9f {
		return size
	}
	switch {
	case kind == '[':
		return size + parameterLength(text[size:])
	case strings.ContainsRune("]PX^_", kind): // OSC, DCS, SOS, PM, APC
		return size + stringLength(text[size:])
	case first == '\x1b' && strings.ContainsRune(" #%()*+-./", kind) && len(text) > size && text[size] != '\n':
		return size + 1 // it chooses a character set
	}
	return size
}

// parameterLength is the number of bytes from the parameters of a control sequence to its last character.
func parameterLength(text string) int {
	for i := range len(text) {
		switch {
		case text[i] >= '@' && text[i] <= '~':
			return i + 1
		case text[i] < ' ' || text[i] > '~':
			return i // it is cut off
		}
	}
	return len(text)
}

// stringLength is the number of bytes of a text in a sequence up to and with its end: BEL, ESC \ or U+009C. A
// text without an end goes up to the end of the line.
func stringLength(text string) int {
	for i, r := range text {
		switch r {
		case '\a':
			return i + 1
		case 0x9c:
			return i + len("\u009c")
		case '\n':
			return i
		case '\x1b':
			return i + len(strings.TrimSuffix(text[i:min(len(text), i+2)], "\n"))
		}
	}
	return len(text)
}
