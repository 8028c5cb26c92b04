package hparams

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of lists and objects. Python's json.loads gives up a little before its
// recursion limit of 1,000.
const maxDepth = 990

// maxDigits is the length of the longest whole number that Python reads (sys.get_int_max_str_digits).
const maxDigits = 4300

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Pos int    // the offset in bytes
	Msg string // what stands there, and what should stand there
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Pos, e.Msg) }

// Duplicate is a key that occurs again in the same object. The last value of a key counts.
type Duplicate struct {
	Key string
	Pos int  // the offset of the later key in bytes
	Top bool // the object is the whole document
}

// Parse reads one JSON document as Python's json.loads does: NaN and Infinity are numbers, the last of
// equal keys counts, and a string may hold half of a surrogate pair. Every error is a *SyntaxError, also
// the one for text after the end of the document.
func Parse(text string) (Value, []Duplicate, error) {
	p := parser{text: text}
	p.skipSpace()
	v := p.readValue(0)
	if p.skipSpace(); p.err == nil && p.pos < len(text) {
		p.fail("found %s after the end of the JSON document", p.describeNext())
	}
	if p.err != nil {
		return Value{}, nil, p.err
	}
	return v, p.duplicates, nil
}

// Decode gives a hyperparameter's value its type, as the toolkit and the drivers do. A string that holds JSON
// becomes that JSON. Any other string stays as it is, and so does a value that is not a string.
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
	text       string
	pos        int // the offset of the next byte
	duplicates []Duplicate
	err        *SyntaxError // the first error
}

// fail records an error at the position, unless there is one already.
func (p *parser) fail(format string, args ...any) { p.failAt(p.pos, format, args...) }

// failAt records an error at another position, unless there is one already.
func (p *parser) failAt(pos int, format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{Pos: pos, Msg: fmt.Sprintf(format, args...)}
	}
}

// describeNext names the next character, for messages.
func (p *parser) describeNext() string {
	if p.pos >= len(p.text) {
		return "the end of the file"
	}
	if p.text[p.pos] == 0xef && strings.HasPrefix(p.text[p.pos:], "\ufeff") {
		return "a byte order mark"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return fmt.Sprintf("%q", r)
}

func (p *parser) skipSpace() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek returns the next byte, and 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// skipWord skips a word, and tells whether it stood at the position.
func (p *parser) skipWord(word string) bool {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return false
	}
	p.pos += len(word)
	return true
}

// readValue reads one value, which is inside of depth lists and objects.
func (p *parser) readValue(depth int) Value {
	v := Value{Pos: p.pos}
	c := p.peek()
	switch {
	case depth > maxDepth:
		p.fail("nested more than %d deep", maxDepth)
	case c == '"':
		v.Kind, v.Text = String, p.readString()
	case c == '{':
		v.Kind, v.Fields = Object, p.readObject(depth)
	case c == '[':
		v.Kind, v.Items = List, p.readList(depth)
	case c == '-' || IsDigit(c):
		v.Kind, v.Text = p.readNumber()
	case p.skipWord("null"):
		v.Kind = Null
	case p.skipWord("true"), p.skipWord("false"):
		v.Kind, v.Text = Bool, p.text[v.Pos:p.pos]
	case p.skipWord("NaN"), p.skipWord("Infinity"):
		v.Kind, v.Text = Float, p.text[v.Pos:p.pos]
	default:
		p.fail("found %s where a JSON value should be", p.describeNext())
	}
	return v
}

func (p *parser) readList(depth int) []Value {
	items := []Value{}
	p.pos++
	if p.skipSpace(); p.skipWord("]") {
		return items
	}
	for p.err == nil {
		p.skipSpace()
		items = append(items, p.readValue(depth+1))
		if p.skipSpace(); p.skipWord("]") {
			break
		}
		p.readComma("a list", ']', items[len(items)-1])
	}
	return items
}

func (p *parser) readObject(depth int) []Field {
	fields, at := []Field{}, map[string]int{}
	p.pos++
	if p.skipSpace(); p.skipWord("}") {
		return fields
	}
	for p.err == nil {
		p.skipSpace()
		f := p.readField(depth)
		if i, again := at[f.Key]; again {
			p.duplicates = append(p.duplicates, Duplicate{Key: f.Key, Pos: f.Pos, Top: depth == 0})
			fields[i].Value = f.Value
		} else {
			at[f.Key] = len(fields)
			fields = append(fields, f)
		}
		if p.skipSpace(); p.skipWord("}") {
			break
		}
		p.readComma("an object", '}', f.Value)
	}
	return fields
}

// readComma reads the comma behind a member. A comma behind the last one is an error at the comma.
func (p *parser) readComma(what string, end byte, last Value) {
	comma := p.pos
	if p.err == nil && !p.skipWord(",") {
		p.failUnclosed(last.Pos, ",")
		p.fail("found %s where %s needs ',' or %q", p.describeNext(), what, end)
	}
	if p.skipSpace(); p.err == nil && p.peek() == end {
		p.failAt(comma, "a trailing comma in front of %q, expected no comma there", end)
	}
}

func (p *parser) readField(depth int) Field {
	f := Field{Pos: p.pos}
	if p.peek() != '"' {
		p.fail("found %s where a key in double quotes should be", p.describeNext())
		return f
	}
	f.Key = p.readString()
	if p.skipSpace(); p.err == nil && !p.skipWord(":") {
		p.failUnclosed(f.Pos, ":")
		p.fail("found %s where ':' should be", p.describeNext())
	}
	p.skipSpace()
	if p.err == nil {
		f.Value = p.readValue(depth + 1)
	}
	return f
}

// skipDigits skips digits, and tells whether there was one.
func (p *parser) skipDigits() bool {
	from := p.pos
	for IsDigit(p.peek()) {
		p.pos++
	}
	return p.pos > from
}

// readNumber returns the kind of a number and its text: an Int has no fraction and no exponent.
func (p *parser) readNumber() (Kind, string) {
	from := p.pos
	if p.skipWord("-Infinity") {
		return Float, "-Infinity"
	}
	p.skipWord("-")
	first := p.pos
	if !p.skipWord("0") && !p.skipDigits() {
		p.fail("found %s where a digit should be", p.describeNext())
		return Int, ""
	}
	kind, whole := Int, p.pos
	if p.skipWord(".") {
		kind = Float
		if !p.skipDigits() {
			p.fail("found %s where a digit should be", p.describeNext())
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		kind = Float
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.skipDigits() {
			p.fail("found %s where a digit should be", p.describeNext())
		}
	}
	if kind == Int && whole-first > maxDigits {
		p.failAt(from, "a whole number of %d digits, expected at most %d", whole-first, maxDigits)
	}
	return kind, p.text[from:p.pos]
}
