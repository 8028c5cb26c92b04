package hparams

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may nest: Python's json.loads gives up shortly under its recursion
// limit of 1,000.
const maxDepth = 990

// maxDigits is the longest whole number that Python turns into an int (sys.get_int_max_str_digits).
const maxDigits = 4300

// SyntaxError says where a document stops being JSON.
type SyntaxError struct {
	Pos int    // offset in bytes
	Msg string // what was found and what was wanted there
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Pos, e.Msg) }

// Duplicate is a key that an object has more than once; the last value counts.
type Duplicate struct {
	Key string
	Pos int // of the later key, in bytes
}

// Parse reads one JSON document as Python's json.loads does: NaN and Infinity are numbers, the last of equal
// keys counts, lone surrogates pass. Text behind the document is a *SyntaxError, the only error there is.
func Parse(text string) (Value, []Duplicate, error) {
	p := parser{text: text}
	p.space()
	v := p.value(0)
	if p.space(); p.err == nil && p.pos < len(text) {
		p.fail("found %s after the end of the JSON document", p.found())
	}
	if p.err != nil {
		return Value{}, nil, p.err
	}
	return v, p.dups, nil
}

// Decode gives a hyperparameter's value its type, as both dialects do: a string that holds JSON is that JSON,
// any other string is itself, and what is no string already has its type.
func Decode(v Value) Value {
	if v.Kind != String {
		return v
	}
	inner, _, err := Parse(v.Text)
	if err != nil {
		return v
	}
	inner.Pos = v.Pos
	return inner
}

type parser struct {
	text string
	pos  int
	dups []Duplicate
	err  *SyntaxError
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{Pos: p.pos, Msg: fmt.Sprintf(format, args...)}
	}
}

// found names what stands at the position, for messages.
func (p *parser) found() string {
	if p.pos >= len(p.text) {
		return "the end of the file"
	}
	if p.text[p.pos] == 0xef && strings.HasPrefix(p.text[p.pos:], "\ufeff") {
		return "a byte order mark"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return fmt.Sprintf("%q", r)
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek is the byte at the position, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) take(word string) bool {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) value(depth int) Value {
	v := Value{Pos: p.pos}
	c := p.peek()
	switch {
	case depth > maxDepth:
		p.fail("nested more than %d deep", maxDepth)
	case c == '"':
		v.Kind, v.Text = String, p.str()
	case c == '{':
		v.Kind, v.Fields = Object, p.object(depth)
	case c == '[':
		v.Kind, v.Items = List, p.list(depth)
	case c == '-' || isDigit(c):
		v.Kind, v.Text = p.number()
	case p.take("null"):
		v.Kind = Null
	case p.take("true"), p.take("false"):
		v.Kind, v.Text = Bool, p.text[v.Pos:p.pos]
	case p.take("NaN"), p.take("Infinity"):
		v.Kind, v.Text = Float, p.text[v.Pos:p.pos]
	default:
		p.fail("found %s where a JSON value should be", p.found())
	}
	return v
}

func (p *parser) list(depth int) []Value {
	items := []Value{}
	p.pos++
	if p.space(); p.take("]") {
		return items
	}
	for p.err == nil {
		p.space()
		items = append(items, p.value(depth+1))
		if p.space(); p.take("]") {
			break
		}
		if p.err == nil && !p.take(",") {
			p.fail("found %s where a list needs ',' or ']'", p.found())
		}
	}
	return items
}

func (p *parser) object(depth int) []Field {
	fields, at := []Field{}, map[string]int{}
	p.pos++
	if p.space(); p.take("}") {
		return fields
	}
	for p.err == nil {
		p.space()
		f := p.field(depth)
		if i, again := at[f.Key]; again {
			p.dups = append(p.dups, Duplicate{Key: f.Key, Pos: f.Pos})
			fields[i].Value = f.Value
		} else {
			at[f.Key] = len(fields)
			fields = append(fields, f)
		}
		if p.space(); p.take("}") {
			break
		}
		if p.err == nil && !p.take(",") {
			p.fail("found %s where an object needs ',' or '}'", p.found())
		}
	}
	return fields
}

func (p *parser) field(depth int) Field {
	f := Field{Pos: p.pos}
	if p.peek() != '"' {
		p.fail("found %s where a key in double quotes should be", p.found())
		return f
	}
	f.Key = p.str()
	if p.space(); p.err == nil && !p.take(":") {
		p.fail("found %s where ':' should be", p.found())
	}
	p.space()
	if p.err == nil {
		f.Value = p.value(depth + 1)
	}
	return f
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (p *parser) digits() bool {
	from := p.pos
	for isDigit(p.peek()) {
		p.pos++
	}
	return p.pos > from
}

func (p *parser) number() (Kind, string) {
	from := p.pos
	if p.take("-Infinity") {
		return Float, "-Infinity"
	}
	p.take("-")
	first := p.pos
	if !p.take("0") && !p.digits() {
		p.fail("found %s where a digit should be", p.found())
		return Int, ""
	}
	kind, whole := Int, p.pos
	if p.take(".") {
		kind = Float
		if !p.digits() {
			p.fail("found %s where a digit should be", p.found())
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		kind = Float
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			p.fail("found %s where a digit should be", p.found())
		}
	}
	if kind == Int && whole-first > maxDigits {
		p.fail("a whole number of more than %d digits", maxDigits)
	}
	return kind, p.text[from:p.pos]
}

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
