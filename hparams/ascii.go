package hparams

import "strings"

// IsLetter tells whether c is an ASCII letter.
func IsLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// IsDigit tells whether c is an ASCII digit.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsWord tells whether s consists of ASCII letters, ASCII digits and the extra characters. The empty text
// is no word.
func IsWord(s, extra string) bool {
	for _, c := range []byte(s) {
		if !IsLetter(c) && !IsDigit(c) && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return s != ""
}
