package contract

import (
	"strings"

	"entrain/hparams"
)

// offsets returns the offsets of part in text.
func offsets(text, part string) []int {
	var found []int
	for from := 0; ; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			return found
		}
		found = append(found, from+i)
		from += i + len(part)
	}
}

// indexAnyFrom returns the offset of the first of some characters at or behind from. It is the end of the
// text if there is none.
func indexAnyFrom(text string, from int, chars string) int {
	if i := strings.IndexAny(text[from:], chars); i >= 0 {
		return from + i
	}
	return len(text)
}

// skipAny returns the offset of the first character at or behind from that is none of chars.
func skipAny(text string, from int, chars string) int {
	return len(text) - len(strings.TrimLeft(text[from:], chars))
}

// lowerASCII returns a text in small ASCII letters. Unlike strings.ToLower it keeps every offset.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if isUpper(c) {
			lower[i] = c | 0x20
		}
	}
	return string(lower)
}

// looksRandom tells whether a word has digits and letters, and is not shorter than shortest, in bytes.
// Ordinary words are not like that.
func looksRandom(word string, shortest int) bool {
	letters, digits := 0, 0
	for _, c := range []byte(word) {
		switch {
		case hparams.IsLetter(c):
			letters++
		case hparams.IsDigit(c):
			digits++
		}
	}
	return len(word) >= shortest && letters > 0 && digits > 0
}

// runLength counts the letters, digits and extra characters at the beginning of a text.
func runLength(text, extra string) int {
	n := 0
	for n < len(text) && (isAlnum(text[n]) || strings.IndexByte(extra, text[n]) >= 0) {
		n++
	}
	return n
}

// isUpper tells whether c is an ASCII capital.
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// isAlnum tells whether c is an ASCII letter or an ASCII digit.
func isAlnum(c byte) bool { return hparams.IsLetter(c) || hparams.IsDigit(c) }

// parseJSONText reads a text that is JSON. It is false for a text that is none, and for a number or a word
// that JSON knows.
func parseJSONText(text string) (hparams.Value, bool) {
	if text == "" || strings.IndexByte(`{["`, text[0]) < 0 {
		return hparams.Value{}, false
	}
	doc, _, err := hparams.Parse(text)
	return doc, err == nil
}
