package hparams

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string; the position is on its opening quote.
func (p *parser) str() string {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != '"' && p.text[p.pos] != '\\' && p.text[p.pos] >= 0x20 {
		p.pos++
	}
	if p.take(`"`) {
		return p.text[start : p.pos-1] // the usual case: nothing to decode, nothing to copy
	}
	out := []byte(p.text[start:p.pos])
	for p.err == nil {
		switch c := p.peek(); {
		case p.pos >= len(p.text):
			p.fail("the string that starts at byte %d has no closing quote", start-1)
		case c == '"':
			p.pos++
			return string(out)
		case c == '\\':
			out = p.escape(out)
		case c < 0x20:
			p.fail("control character %q inside a string: write it as an escape", c)
		default:
			out = append(out, c)
			p.pos++
		}
	}
	return ""
}

func (p *parser) escape(out []byte) []byte {
	at := p.pos
	p.pos++
	c := p.peek()
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && p.pos < len(p.text) {
		p.pos++
		return append(out, "\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' {
		p.pos = at
		p.fail(`an escape that JSON does not know: write a backslash as \\`)
		return out
	}
	p.pos++
	r, ok := p.hex4()
	if !ok {
		p.pos = at
		p.fail(`\u needs four hexadecimal digits`)
		return out
	}
	if isHigh(r) && strings.HasPrefix(p.text[p.pos:], `\u`) {
		mark := p.pos
		p.pos += 2
		low, ok := p.hex4()
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(out, pair)
		}
		p.pos = mark
	}
	return appendWTF8(out, r)
}

func (p *parser) hex4() (rune, bool) {
	if len(p.text)-p.pos < 4 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[p.pos : p.pos+4]) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	p.pos += 4
	return r, true
}

func isHigh(r rune) bool { return 0xd800 <= r && r < 0xdc00 }

// appendWTF8 is utf8.AppendRune for surrogates too, which Python's strings can hold alone.
func appendWTF8(out []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
	}
	return utf8.AppendRune(out, r)
}

// decodeWTF8 is utf8.DecodeRuneInString for surrogates too.
func decodeWTF8(s string) (rune, int) {
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	}
	return utf8.DecodeRuneInString(s)
}

// HasSurrogate says whether a decoded string holds a lone surrogate, which no UTF-8 text can.
func HasSurrogate(s string) bool {
	for i := strings.IndexByte(s, 0xed); i >= 0 && i < len(s); {
		r, n := decodeWTF8(s[i:])
		if isSurrogate(r) {
			return true
		}
		i += n
	}
	return false
}
