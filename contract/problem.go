package contract

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"entrain/hparams"
)

// Problem is one thing that is wrong with the contract.
type Problem struct {
	File string `json:"file"` // empty where it is the contract as a whole
	// Line and Column are where the value stands, from 1, in characters; 0 where there is no such place.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Warning says that a job can run all the same: the platform or its toolkit tolerates it.
	Warning bool   `json:"warning"`
	Message string `json:"message"` // the value and what was wanted
	Hint    string `json:"hint,omitempty"`
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.File != "" {
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("\nhint: " + p.Hint)
	}
	return b.String()
}

// InvalidError is the error of a contract that no job can run with.
type InvalidError struct {
	Problems []Problem // at least one that is no warning
}

func (e *InvalidError) Error() string {
	var lines []string
	for _, p := range Errors(e.Problems) {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// Errors are the problems that are no warnings.
func Errors(problems []Problem) []Problem {
	var errors []Problem
	for _, p := range problems {
		if !p.Warning {
			errors = append(errors, p)
		}
	}
	return errors
}

// document is one configuration file while it is checked.
type document struct {
	file     string
	text     string
	problems *[]Problem
	seen     mark // where the last problem was: the next is mostly behind it
}

// mark is a place in a text, as an offset in bytes and as line and column from 1, in characters.
type mark struct{ pos, line, column int }

func (d *document) fail(pos int, hint, format string, args ...any) {
	d.add(pos, false, hint, format, args)
}

func (d *document) warn(pos int, hint, format string, args ...any) {
	d.add(pos, true, hint, format, args)
}

func (d *document) add(pos int, warning bool, hint, format string, args []any) {
	p := Problem{File: d.file, Warning: warning, Hint: hint, Message: fmt.Sprintf(format, args...)}
	if pos >= 0 {
		d.seen = d.seen.walk(d.text, min(pos, len(d.text)))
		p.Line, p.Column = d.seen.line, d.seen.column
	}
	*d.problems = append(*d.problems, p)
}

// nowhere is the position of a problem with the file itself.
const nowhere = -1

// walk goes on to an offset; only what is behind the mark is read again.
func (m mark) walk(text string, pos int) mark {
	if m.line == 0 || pos < m.pos {
		m = mark{line: 1, column: 1}
	}
	between := text[m.pos:pos]
	if i := strings.LastIndexByte(between, '\n'); i >= 0 {
		m.line, m.column = m.line+strings.Count(between, "\n"), 1
		between = between[i+1:]
	}
	return mark{pos: pos, line: m.line, column: m.column + utf8.RuneCountInString(between)}
}

// kind fails unless v is of the wanted kind; path names the value.
func (d *document) kind(v hparams.Value, want hparams.Kind, path string) bool {
	if v.Kind == want {
		return true
	}
	d.fail(v.Pos, "", "%s is %s, expected %s", path, describe(v), want)
	return false
}

// describe shows a value in a message: scalars as they are, the others by their kind.
func describe(v hparams.Value) string {
	switch v.Kind {
	case hparams.List, hparams.Object, hparams.Null:
		return v.Kind.String()
	case hparams.String:
		return hparams.Quote(v.Text)
	default:
		return v.Text
	}
}

// optional is a member of an object that may be absent or null.
func optional(v hparams.Value, key string) (hparams.Value, bool) {
	got, ok := v.Get(key)
	return got, ok && got.Kind != hparams.Null
}

// str is an optional string member; a wrong type is a problem.
func (d *document) str(v hparams.Value, key, path string) (hparams.Value, bool) {
	got, ok := optional(v, key)
	if !ok || !d.kind(got, hparams.String, path+key) {
		return hparams.Value{}, false
	}
	return got, true
}

// ParamProblem is a problem with one hyperparameter that shows only where it is used.
func ParamProblem(j *Job, s *Snapshot, name, hint, message string) Problem {
	var problems []Problem
	d := &document{file: HyperparametersFile, text: string(s.Files[HyperparametersFile].Data), problems: &problems}
	pos := nowhere
	for _, p := range j.Params {
		if p.Name == name {
			pos = p.Raw.Pos
		}
	}
	d.fail(pos, hint, "hyperparameter %s: %s", hparams.Quote(name), message)
	return problems[0]
}
