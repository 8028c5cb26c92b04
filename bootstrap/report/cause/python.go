package cause

import (
	"slices"
	"strings"
	"unicode"
)

// pythonReader reads tracebacks: those of the Python interpreter for exceptions that nobody caught, and
// those of the modules traceback and logging. A traceback has a first line, indented frames, and the
// exception. If two processes write into one stream, their frames mix; so each first line waits for an
// exception of its own.
type pythonReader struct {
	p       *process
	open    []openTraceback
	found   []finding
	chained bool   // the next exception and the one before it form a chain
	group   bool   // inside an exception group
	leaf    bool   // an exception of the group was read
	margin  string // the indent of the last traceback, if a program shows the output of another one
	others  int    // lines since the last first line that belong to no traceback
}

// openTraceback is a traceback whose exception has not come yet.
type openTraceback struct {
	at      int
	ignored bool // Python ignores the exception, for example in __del__, and goes on
}

// python reads the tracebacks of a process.
func python(p *process) []finding {
	r := &pythonReader{p: p}
	for i, l := range p.lines {
		if !p.taken[i] {
			r.read(i, r.withoutMargin(r.withoutIndent(l.text)))
		}
	}
	return r.found
}

// maxOtherLines is the number of other lines after which an open traceback counts as cut off.
const maxOtherLines = 40

// read handles one line.
func (r *pythonReader) read(i int, text string) {
	switch {
	case strings.Contains(text, traceback):
		r.beginTraceback(i, text)
	case hasAnyPrefix(text, "During handling of the above", "The above exception was the direct"):
		r.chained = true
	case len(r.open) == 0:
		r.exceptionAlone(i, text)
	case text == "" || isIndented(text) || isBoxed(text):
		r.p.taken[i] = true
	case isException(text):
		r.endTraceback(i, text)
	default:
		if r.others++; r.others > maxOtherLines {
			r.open = nil
		}
	}
}

// isBoxed reports whether a line belongs to a traceback of loguru, or of rich, which draws a box around it.
func isBoxed(text string) bool { return hasAnyPrefix(text, "│", "╭", "╰", "> ") }

// withoutIndent removes the spaces in front of a traceback. Pip and other programs indent the output of a
// child.
func (r *pythonReader) withoutIndent(text string) string {
	trimmed := strings.TrimLeft(text, " ")
	if strings.HasPrefix(trimmed, traceback) {
		r.margin = text[:len(text)-len(trimmed)]
	}
	return strings.TrimPrefix(text, r.margin)
}

// withoutMargin removes the "|" and "+-" that Python prints in front of the lines of an exception group.
func (r *pythonReader) withoutMargin(text string) string {
	if strings.Contains(text, "Exception Group "+traceback) {
		r.group, r.leaf = true, false
		return text
	}
	if !r.group {
		return text
	}
	trimmed := strings.TrimLeft(text, " ")
	switch {
	case trimmed == "|" || strings.HasPrefix(trimmed, "+-"):
		return ""
	case strings.HasPrefix(trimmed, "| "):
		return trimmed[2:]
	}
	r.group = isIndented(text)
	return text
}

// beginTraceback handles the first line of a traceback.
func (r *pythonReader) beginTraceback(i int, text string) {
	before := ""
	if i > 0 {
		before = r.p.lines[i-1].text
	}
	r.p.taken[i] = true
	ignored := strings.Contains(before, "Exception ignored ") || strings.Contains(text, "Exception ignored ")
	r.open = append(r.open, openTraceback{at: i, ignored: ignored})
	// Torch prints "Original Traceback" for an exception of a worker or a replica.
	r.chained = r.chained || strings.HasPrefix(text, "Original "+traceback)
	r.others = 0
}

// endTraceback handles the exception, which ends the oldest open traceback.
func (r *pythonReader) endTraceback(i int, text string) {
	head := r.open[0]
	r.open = r.open[1:]
	message, last := r.message(i, text)
	f := grade(r.p.newFinding(cause, i, last, message))
	f.at, f.chained = r.p.lines[head.at].at, r.chained
	r.chained = false
	before := len(r.found) - 1
	switch {
	case head.ignored:
	case before >= 0 && f.chained:
		r.chain(f)
	case before >= 0 && r.group && strings.Contains(r.found[before].text, "Group: "):
		r.addLeaf(f)
	default:
		r.found = append(r.found, f)
	}
}

// addLeaf adds the first exception of a group to the text of the group. It leaves out the others.
func (r *pythonReader) addLeaf(f finding) {
	group := &r.found[len(r.found)-1]
	group.last = f.last
	if !r.leaf {
		group.text += ": " + f.text
	}
	r.leaf = true
}

// chain joins an exception with the earlier one that led to it. The later one counts, unless only the earlier
// one says why.
func (r *pythonReader) chain(f finding) {
	first := &r.found[len(r.found)-1]
	if f.kind >= first.kind {
		first.text, first.kind = f.text, f.kind
	}
	first.last = f.last
}

// message returns the text of an exception with the lines that belong to it, and the number of the last one.
// NCCL says in the next lines whether another process is at fault, and pydantic says which field it means.
func (r *pythonReader) message(i int, text string) (string, int) {
	var more int
	switch {
	case r.group:
		return text, i
	case strings.Contains(text, "NCCL"):
		more = 3
	case strings.Contains(text, "validation error"):
		more = 2
	case strings.HasSuffix(text, graphErrorEnd):
		return r.p.graphError(i, text)
	default:
		joined, last := r.p.message(i)
		return text + strings.TrimPrefix(joined, r.p.lines[i].text), last
	}
	last := i
	for _, l := range r.p.lines[i+1 : min(i+1+more, len(r.p.lines))] {
		isOther := hasErrorName(l.text) && !strings.HasPrefix(l.text, "nccl")
		if l.text == "" || strings.Contains(l.text, traceback) || isOther {
			break
		}
		text += " " + strings.TrimSpace(l.text)
		last++
	}
	return text, last
}

// exceptionAlone reads an exception without a traceback: a SyntaxError, or the real exception in the
// stack of a Ray task.
func (r *pythonReader) exceptionAlone(i int, text string) {
	if !isException(text) || !hasErrorName(text) || strings.HasPrefix(text, "Error:") {
		return // Python prints no "Error:" without a name in front of it
	}
	if r.group && len(r.found) > 0 { // an exception of a group has no traceback if it was never raised
		r.addLeaf(finding{text: text, last: r.p.lines[i].at})
		r.p.taken[i] = true
		return
	}
	inStack := i > 0 && isIndented(r.p.lines[i-1].text)
	joined, last := r.p.message(i)
	f := grade(r.p.newFinding(said, i, last, joined))
	if f.kind == said && inStack {
		f.kind = cause
	}
	r.found = append(r.found, f)
}

// hasErrorName reports whether the words before the first colon end as the name of an exception does.
func hasErrorName(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], ")")
	return slices.ContainsFunc([]string{"Error", "Exception", "Interrupt", "Warning"}, func(end string) bool {
		return strings.HasSuffix(name, end)
	})
}

// isException reports whether a line can name an exception: a dotted name, or one with a message after a
// colon.
func isException(text string) bool {
	name, message, found := strings.Cut(text, ":")
	if found && message != "" && message[0] != ' ' {
		return false
	}
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.<>()", r)
	}) < 0 && !unicode.IsDigit([]rune(name)[0])
}

// withoutLogging removes the reports of Python's logging about a message that it could not format, with
// their tracebacks, because the program goes on after them. Such a report ends with the arguments of the
// message. If nothing else would be left, withoutLogging removes nothing.
func withoutLogging(lines []line) []line {
	ends := map[string]int{} // for each tag, the last line of the next report
	next := make([]int, len(lines))
	for i, l := range slices.Backward(lines) {
		if hasAnyPrefix(l.text, "Arguments: ", "Unable to print the message and arguments") {
			ends[l.tag] = i
		}
		next[i] = ends[l.tag]
	}
	until := map[string]int{}
	others := make([]line, 0, len(lines))
	blank := true
	for i, l := range lines {
		if strings.Contains(l.text, "--- Logging error ---") && next[i] > i {
			until[l.tag] = max(until[l.tag], next[i]+1)
		}
		if i >= until[l.tag] {
			others = append(others, l)
			blank = blank && l.text == ""
		}
	}
	if blank {
		return lines
	}
	return others
}
