package cause

import "strings"

// java reads the stack trace of an exception that a JVM prints: frames "\tat …", and "Caused by: …"
// lines. The last "Caused by" is the innermost one and says why. Scala, Kotlin and Spark print the same,
// and Node prints such frames too.
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

// isJavaFrame reports whether a line is a frame: indented, "at …", with ")" at its end.
func isJavaFrame(text string) bool {
	trimmed := strings.TrimLeft(text, " \t")
	return len(trimmed) < len(text) && strings.HasPrefix(trimmed, "at ") && strings.HasSuffix(trimmed, ")")
}

// maxMessage is the largest number of lines in the message of an exception.
const maxMessage = 6

// javaHead returns the number of the line that names the exception, given the number of its first frame. It
// returns -1 if there is none. A message of several lines may stand between the two.
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

// hasFrameSoon reports whether a frame follows within the length of a message.
func (p *process) hasFrameSoon(at int) bool {
	for _, l := range p.lines[at+1 : min(at+1+maxMessage, len(p.lines))] {
		if isJavaFrame(l.text) {
			return true
		}
	}
	return false
}

// nextText is the text of the line after a line, or "" after the last one.
func (p *process) nextText(at int) string {
	if at+1 < len(p.lines) {
		return p.lines[at+1].text
	}
	return ""
}

// maxOuter is the number of characters of the outer exception that stand before the innermost one.
const maxOuter = 240

// javaStack reads a stack trace, given the numbers of the line that names the exception and of the first
// frame. It also returns the number of the last line.
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

// unhandled is the text that .NET prints before an exception that ends the process by SIGABRT.
const unhandled = "Unhandled exception. "

// javaFinding makes a finding of the outer exception and, if there is one, the innermost.
func (p *process) javaFinding(first, last int, head, inner string) finding {
	if inner != "" {
		head = cutMiddle(head, maxOuter) + "; " + inner
	}
	head, deadly := strings.CutPrefix(head, unhandled)
	f := grade(p.newFinding(cause, first, last, head))
	f.deadly = deadly
	return f
}
