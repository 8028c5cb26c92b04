package hparams

import (
	"fmt"
	"strings"
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
	Pos int  // of the later key, in bytes
	Top bool // the object is the document
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
			p.dups = append(p.dups, Duplicate{Key: f.Key, Pos: f.Pos, Top: depth == 0})
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
