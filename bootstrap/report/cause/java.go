package cause

import "strings"

// java reads the stack that a JVM prints of an exception: frames "\tat …", and "Caused by: …" of which the
// last one, the innermost, says why. Scala, Kotlin and Spark print the same, and Node prints such frames too.
func java(p *process) []finding {
	var found []finding
	for i := 0; i < len(p.lines); i++ {
		if p.taken[i] {
			continue
		}
		head := -1
		if isJavaFrame(p.lines[i].text) {
			head = p.javaHead(i)
		} else if strings.HasPrefix(p.lines[i].text, "Exception in thread \"") && !p.hasFrameSoon(i) {
			head = i
		}
		if head >= 0 {
			var f finding
			f, i = p.javaStack(head, i)
			found = append(found, f)
		}
	}
	return found
}

func isJavaFrame(text string) bool {
	trimmed := strings.TrimLeft(text, " \t")
	return len(trimmed) < len(text) && strings.HasPrefix(trimmed, "at ") && strings.HasSuffix(trimmed, ")")
}

// maxMessage is how many lines the message of an exception may have.
const maxMessage = 6

// javaHead is the line of the exception whose first frame is at a line, -1 where there is none. A message of
// several lines may stand between them.
func (p *process) javaHead(frame int) int {
	for i := frame - 1; i >= max(0, frame-maxMessage) && !p.taken[i] && p.lines[i].text != ""; i-- {
		if hasErrorName(p.lines[i].text) {
			return i
		}
	}
	if before := frame - 1; before >= 0 && !p.taken[before] && !isNoise(p.lines[before].text) {
		return before
	}
	return -1
}

func (p *process) hasFrameSoon(at int) bool {
	for _, l := range p.lines[at+1 : min(at+1+maxMessage, len(p.lines))] {
		if isJavaFrame(l.text) {
			return true
		}
	}
	return false
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

// javaStack reads a stack with its message, the first line of it, and its first frame.
func (p *process) javaStack(first, frame int) (finding, int) {
	head, inner, last := strings.TrimPrefix(p.lines[first].text, ": "), "", first
	for _, l := range p.lines[first+1 : max(frame, first+1)] {
		head += " " + l.text
		last++
	}
	for i := last + 1; i < len(p.lines); i++ {
		trimmed := strings.TrimSpace(p.lines[i].text)
		switch {
		case strings.HasPrefix(trimmed, "Caused by: "):
			inner = trimmed
		case isIndented(p.lines[i].text) || strings.HasPrefix(trimmed, "... "):
		case strings.HasPrefix(p.lines[last].text, "Caused by: ") && p.hasFrameSoon(i):
			inner += " " + trimmed
		default:
			return p.javaFinding(first, last, head, inner), last
		}
		last = i
	}
	return p.javaFinding(first, last, head, inner), last
}

// unhandled is what .NET says before an exception that ends the process by SIGABRT.
const unhandled = "Unhandled exception. "

func (p *process) javaFinding(first, last int, head, inner string) finding {
	if inner != "" {
		head = squeeze(head, maxOuter) + "; " + inner
	}
	head, deadly := strings.CutPrefix(head, unhandled)
	f := grade(p.find(cause, first, last, head))
	f.deadly = deadly
	return f
}
