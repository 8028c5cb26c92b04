package cause

import (
	"slices"
	"strings"
	"unicode"
)

// pythonReader reads what the Python interpreter prints of exceptions that nobody caught, and what traceback
// and logging print of others: a first line, frames that are indented, and the exception. Where two processes
// write into one stream their frames mix, so that each first line waits for an exception of its own.
type pythonReader struct {
	p       *process
	open    []opened
	found   []finding
	chained bool
	group   bool
	leaf    bool   // an exception of the group was read
	margin  string // what is in front of the last first line, where a program shows another one's output
	others  int    // lines since the last first line that are no part of a traceback
}

// opened is a traceback whose exception has not come.
type opened struct {
	at      int
	ignored bool // Python goes on after it, as after one in __del__
}

func python(p *process) []finding {
	r := &pythonReader{p: p}
	for i, l := range p.lines {
		if !p.taken[i] {
			r.read(i, r.withoutMargin(r.withoutIndent(l.text)))
		}
	}
	return r.found
}

// patience is how many lines of others may come before a traceback is taken for unfinished.
const patience = 40

func (r *pythonReader) read(i int, text string) {
	switch {
	case strings.Contains(text, traceback):
		r.head(i, text)
	case starts(text, "During handling of the above", "The above exception was the direct"):
		r.chained = true
	case len(r.open) == 0:
		r.bare(i, text)
	case text == "" || isIndented(text) || isBoxed(text):
		r.p.taken[i] = true
	case isException(text):
		r.emit(i, text)
	default:
		if r.others++; r.others > patience {
			r.open = nil
		}
	}
}

// isBoxed says whether a line belongs to a traceback of rich, which has a box around it, or of loguru.
func isBoxed(text string) bool {
	return starts(text, "│", "╭", "╰", "> ")
}

// withoutIndent takes off the spaces before a traceback that pip, or another program, shows of its child.
func (r *pythonReader) withoutIndent(text string) string {
	trimmed := strings.TrimLeft(text, " ")
	if strings.HasPrefix(trimmed, traceback) {
		r.margin = text[:len(text)-len(trimmed)]
	}
	return strings.TrimPrefix(text, r.margin)
}

// withoutMargin takes off what an exception group has in front of its lines.
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

func (r *pythonReader) head(i int, text string) {
	before := ""
	if i > 0 {
		before = r.p.lines[i-1].text
	}
	r.p.taken[i] = true
	ignored := strings.Contains(before, "Exception ignored ") || strings.Contains(text, "Exception ignored ")
	r.open = append(r.open, opened{at: i, ignored: ignored})
	r.chained = r.chained || strings.HasPrefix(text, "Original "+traceback) // torch's, of a worker or a replica
	r.others = 0
}

// emit ends the first traceback that is open.
func (r *pythonReader) emit(i int, text string) {
	head := r.open[0]
	r.open = r.open[1:]
	message, last := r.message(i, text)
	f := grade(r.p.find(cause, i, last, message))
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

// addLeaf adds an exception to its group's text: the first one is enough.
func (r *pythonReader) addLeaf(f finding) {
	group := &r.found[len(r.found)-1]
	group.last = f.last
	if !r.leaf {
		group.text += ": " + f.text
	}
	r.leaf = true
}

// chain joins an exception to the one that it was raised for: the last one counts, unless only the first one
// says why.
func (r *pythonReader) chain(f finding) {
	first := &r.found[len(r.found)-1]
	if f.kind >= first.kind {
		first.text, first.kind = f.text, f.kind
	}
	first.last = f.last
}

// message is an exception with what belongs to it. NCCL says in the next lines whether the fault is another
// process's, and pydantic which field it means.
func (r *pythonReader) message(i int, text string) (string, int) {
	var more int
	switch {
	case r.group:
		return text, i
	case strings.Contains(text, "NCCL"):
		more = 3
	case strings.Contains(text, "validation error"):
		more = 2
	case strings.HasSuffix(text, graphError):
		return r.p.graph(i, text)
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

// bare reads an exception without a traceback: a SyntaxError, and the real one in the stack of a Ray task.
func (r *pythonReader) bare(i int, text string) {
	if !isException(text) || !hasErrorName(text) || strings.HasPrefix(text, "Error:") { // not Python's
		return
	}
	if r.group && len(r.found) > 0 { // one of a group that was never raised
		r.addLeaf(finding{text: text, last: r.p.lines[i].at})
		r.p.taken[i] = true
		return
	}
	inStack := i > 0 && isIndented(r.p.lines[i-1].text)
	joined, last := r.p.message(i)
	f := grade(r.p.find(said, i, last, joined))
	if f.kind == said && inStack {
		f.kind = cause
	}
	r.found = append(r.found, f)
}

func hasErrorName(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], ")")
	return slices.ContainsFunc([]string{"Error", "Exception", "Interrupt", "Warning"}, func(end string) bool {
		return strings.HasSuffix(name, end)
	})
}

// isException says whether a line can name an exception: a dotted name, and a message after a colon.
func isException(text string) bool {
	name, message, found := strings.Cut(text, ":")
	if found && message != "" && message[0] != ' ' {
		return false
	}
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.<>()", r)
	}) < 0 && !unicode.IsDigit([]rune(name)[0])
}

// withoutLogging takes out what Python's logging says of a message that it could not format, tracebacks and
// all: the program goes on after it. It ends with the message's arguments. Where nothing else is left it
// stays.
func withoutLogging(lines []line) []line {
	ends := map[string]int{} // by tag, the next last line of such a report
	next := make([]int, len(lines))
	for i, l := range slices.Backward(lines) {
		if starts(l.text, "Arguments: ", "Unable to print the message and arguments") {
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
