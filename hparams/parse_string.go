package hparams

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readString reads a string. The position must be on its opening quote.
func (p *parser) readString() string {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != '"' && p.text[p.pos] != '\\' && p.text[p.pos] >= 0x20 {
		p.pos++
	}
	if p.skipWord(`"`) {
		return p.text[start : p.pos-1] // the usual case: no escape, so the text itself serves
	}
	out := []byte(p.text[start:p.pos])
	for p.err == nil {
		switch c := p.peek(); {
		case p.pos >= len(p.text):
			p.failAt(start-1, "the string that begins here has no closing quote")
		case c == '"':
			p.pos++
			return string(out)
		case c == '\\':
			out = p.readEscape(out)
		case c < 0x20 && !p.closesLater():
			p.failAt(start-1, "the string that begins here has no closing quote in its line")
		case c < 0x20:
			p.fail("control character %q inside a string: write it as an escape", c)
		default:
			out = append(out, c)
			p.pos++
		}
	}
	return ""
}

// closesLater tells whether the string at the position goes on behind a control character: then the next
// quote ends it, and no value follows. In a text that lacks a closing quote, the next quote begins a string.
func (p *parser) closesLater() bool {
	if c := p.text[p.pos]; c != '\n' && c != '\r' {
		return true
	}
	_, rest, found := strings.Cut(p.text[p.pos:], `"`)
	rest = strings.TrimLeft(rest, " \t\r\n")
	return found && (rest == "" || strings.IndexByte(",:]}", rest[0]) >= 0)
}

// failUnclosed records an error if the string in front of the position lacks its closing quote: then it ends
// with the comma or the colon that should follow it, and at the quote that begins the next string.
func (p *parser) failUnclosed(start int, sign string) {
	from := p.text[start:p.pos] // the string and what is between it and the position
	behind := strings.TrimRight(strings.TrimSuffix(strings.TrimRight(from, " \t\r\n"), `"`), " \t")
	if strings.HasPrefix(from, `"`) && len(behind) > 1 && strings.HasSuffix(behind, sign) && p.peek() != '"' {
		p.failAt(start, "the string that begins here has no closing quote")
	}
}

// readEscape reads an escape, or the two escapes of a surrogate pair, and appends the character.
func (p *parser) readEscape(out []byte) []byte {
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
	r, ok := p.readHex4()
	if !ok {
		p.pos = at
		p.fail(`\u needs four hexadecimal digits`)
		return out
	}
	if isHigh(r) && strings.HasPrefix(p.text[p.pos:], `\u`) {
		behindFirst := p.pos
		p.pos += 2
		low, ok := p.readHex4()
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(out, pair)
		}
		p.pos = behindFirst
	}
	return appendWTF8(out, r)
}

// readHex4 reads four hexadecimal digits.
func (p *parser) readHex4() (rune, bool) {
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

// isHigh tells whether r is the first half of a surrogate pair.
func isHigh(r rune) bool { return 0xd800 <= r && r < 0xdc00 }

// appendWTF8 works as utf8.AppendRune, but also appends a lone surrogate, which a Python string can hold. It
// writes the three bytes that UTF-8 would use for that number.
func appendWTF8(out []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
	}
	return utf8.AppendRune(out, r)
}

// decodeWTF8 works as utf8.DecodeRuneInString, but also decodes the lone surrogates of appendWTF8.
func decodeWTF8(s string) (rune, int) {
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	}
	return utf8.DecodeRuneInString(s)
}

// HasSurrogate tells whether a decoded string holds a lone surrogate. Valid UTF-8 cannot hold one.
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
