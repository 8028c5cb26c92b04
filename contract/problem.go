package contract

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"entrain/hparams"
)

// Problem is one thing that is wrong with the contract.
type Problem struct {
	File string `json:"file"` // a file, directory or variable; empty if it is the contract as a whole
	// Line and Column say where the value stands. Both count from 1, and columns are characters. They are 0 if
	// the problem has no place in a text.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Warning is set if a job can run despite the problem: the platform or its toolkit accepts it.
	Warning bool   `json:"warning"`
	Message string `json:"message"` // the value, and the values that are allowed
	Hint    string `json:"hint,omitempty"`
}

// String writes the problem as FILE:LINE:COLUMN: MESSAGE, and the hint on a line of its own.

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

// InvalidError is the error for a contract that no job can run with.
type InvalidError struct {
	Problems []Problem // at least one of them is no warning
}

// Error lists the problems that are no warnings.
func (e *InvalidError) Error() string {
	var lines []string
	for _, p := range Errors(e.Problems) {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// Errors returns the problems that are no warnings.
func Errors(problems []Problem) []Problem {
	var errors []Problem
	for _, p := range problems {
		if !p.Warning {
			errors = append(errors, p)
		}
	}
	return errors
}

// maxProblems is how many problems are told. More help nobody, and hide the others in a log.
const maxProblems = 100

const moreProblems = "and %d more problems: %d errors, %d warnings"

// Limit returns the first problems of each kind, errors before warnings, and a last one that counts the
// others.
func Limit(problems []Problem) []Problem {
	if len(problems) <= maxProblems {
		return problems
	}
	errors := min(len(Errors(problems)), maxProblems)
	room := map[bool]int{false: errors, true: maxProblems - errors}
	left := map[bool]int{}
	isKept := make([]bool, len(problems))
	for _, i := range inTurns(problems) {
		if warning := problems[i].Warning; room[warning] > 0 {
			room[warning]--
			isKept[i] = true
		} else {
			left[warning]++
		}
	}
	kept := make([]Problem, 0, maxProblems+1)
	for i, p := range problems {
		if isKept[i] {
			kept = append(kept, p)
		}
	}
	return append(kept, Problem{
		Warning: left[false] == 0,
		Message: fmt.Sprintf(moreProblems, left[false]+left[true], left[false], left[true]),
	})
}

// document collects the problems of one configuration file.
type document struct {
	file     string
	text     string
	problems *[]Problem
	last     place // the place of the last problem; the next one usually follows it
	compared int   // how many names nearest has compared
}

// configDocument returns the document of one configuration file as it is in the snapshot.
func configDocument(s *Snapshot, name string, problems *[]Problem) *document {
	return &document{file: name, text: string(s.Files[name].Data), problems: problems}
}

// read takes the text of a file, and returns false if the file cannot be read. Its error then has the hint,
// and says what was expected.
func (d *document) read(file File, hint, expected string) bool {
	switch {
	case file.Problem != "":
		d.fail(nowhere, hint, "%s, expected %s", file.Problem, expected)
		return false
	case len(file.Data) > MaxFileSize:
		d.fail(nowhere, "", "is larger than %d bytes", MaxFileSize)
		return false
	}
	d.text = string(file.Data)
	return true
}

// place is a place in a text: an offset in bytes, and line and column from 1. A column is a character.
type place struct{ pos, line, column int }

func (d *document) fail(pos int, hint, format string, args ...any) {
	d.addProblem(pos, false, hint, format, args)
}

func (d *document) warn(pos int, hint, format string, args ...any) {
	d.addProblem(pos, true, hint, format, args)
}

func (d *document) addProblem(pos int, warning bool, hint, format string, args []any) {
	p := Problem{File: d.file, Warning: warning, Hint: hint, Message: fmt.Sprintf(format, args...)}
	if pos >= 0 {
		d.last = d.last.advance(d.text, min(pos, len(d.text)))
		p.Line, p.Column = d.last.line, d.last.column
	}
	*d.problems = append(*d.problems, p)
}

// nowhere is the position of a problem with the file itself.
const nowhere = -1

// advance returns the place of an offset. It reads only the text between the two places, unless the offset is
// in front of p.
func (p place) advance(text string, pos int) place {
	if p.line == 0 || pos < p.pos {
		p = place{line: 1, column: 1}
	}
	between := text[p.pos:pos]
	if i := strings.LastIndexByte(between, '\n'); i >= 0 {
		p.line, p.column = p.line+strings.Count(between, "\n"), 1
		between = between[i+1:]
	}
	return place{pos: pos, line: p.line, column: p.column + utf8.RuneCountInString(between)}
}

// expectKind adds an error and returns false if v is of another kind. What names the value in the message.
func (d *document) expectKind(v hparams.Value, want hparams.Kind, what string) bool {
	if v.Kind == want {
		return true
	}
	d.fail(v.Pos, "", "%s is %s, expected %s", what, describe(v), want)
	return false
}

// describe writes a value for a message: a list, an object or null by its kind, any other value as it is.
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

// optionalMember returns a member of an object, and whether it is there and not null.
func optionalMember(v hparams.Value, key string) (hparams.Value, bool) {
	got, ok := v.Get(key)
	return got, ok && got.Kind != hparams.Null
}

// optionalString returns a member of an object, and whether it is a string. A member of another type is an
// error, unless it is null. Messages put the prefix in front of the key.
func (d *document) optionalString(v hparams.Value, key, prefix string) (hparams.Value, bool) {
	got, ok := optionalMember(v, key)
	if !ok || !d.expectKind(got, hparams.String, prefix+key) {
		return hparams.Value{}, false
	}
	return got, true
}
