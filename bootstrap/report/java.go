package report

import (
	"strings"
)

// java reads the stack that a JVM prints of an exception: frames "\tat …", and "Caused by: …" of which the last one,
// the innermost, says why. Scala, Kotlin and Spark print the same.
func java(p *process) []finding {
	var found []finding
	for i := 0; i < len(p.lines); i++ {
		if p.taken[i] || !isJavaFrame(p.next(i)) && !strings.HasPrefix(p.lines[i].text, "Exception in thread \"") {
			continue
		}
		var f finding
		f, i = p.javaStack(i)
		found = append(found, f)
	}
	return found
}

func isJavaFrame(text string) bool {
	trimmed := strings.TrimLeft(text, " \t")
	return len(trimmed) < len(text) && strings.HasPrefix(trimmed, "at ") && strings.HasSuffix(trimmed, ")")
}

// next is the text of the next line.
func (p *process) next(at int) string {
	if at+1 < len(p.lines) {
		return p.lines[at+1].text
	}
	return ""
}

// maxOuter is how much of the outer exception stands before the innermost one, in characters.
const maxOuter = 240

func (p *process) javaStack(first int) (finding, int) {
	head := strings.TrimPrefix(strings.TrimSpace(p.lines[first].text), ": ")
	inner, last := "", first
	for i := first + 1; i < len(p.lines); i++ {
		text := p.lines[i].text
		trimmed := strings.TrimSpace(text)
		switch {
		case strings.HasPrefix(trimmed, "Caused by: "):
			inner = trimmed
		case isJavaFrame(text) || strings.HasPrefix(trimmed, "... ") || strings.HasPrefix(trimmed, "Suppressed: "):
		case isIndented(text) || i-first < 3 && !isJavaFrame(p.next(first)) && isJavaFrame(p.next(i)): // of a message of several lines
		default:
			return p.javaFinding(first, last, head, inner), last
		}
		last = i
	}
	return p.javaFinding(first, last, head, inner), last
}

func (p *process) javaFinding(first, last int, head, inner string) finding {
	if inner != "" {
		head = squeeze(head, maxOuter) + "; " + inner
	}
	return grade(p.find(cause, first, last, head))
}
