package cause

import (
	"strings"
	"unicode/utf8"
)

// MaxText is the number of characters of the failure file that the platform shows.
const MaxText = 1024

// Failure is a failure that the failure file describes.
type Failure struct {
	Head   string   // the cause, if the caller knows it; if "", Text takes it from Output
	How    string   // how the program ended
	Hints  []string // further lines for the user
	Output []byte   // the end of the program's output
	End    End
}

// Text returns the text of the failure file: valid UTF-8, at most MaxText characters. The cause comes first,
// then how the program ended, then the hints, then as many of the last lines of the output as fit. No line is
// told twice. The function mask replaces secrets in a text; it runs before anything is cut.
func Text(f Failure, mask func(string) string) string {
	lines := strings.Split(mask(strings.Join(readable([]byte(mask(string(f.Output)))), "\n")), "\n")
	t := newText(lines)
	var told finding
	if f.Head == "" {
		told = t.cause(f.End)
	}
	head := mask(told.text)
	how := Fit(strings.Join(append([]string{mask(f.How)}, f.Hints...), "\n"))
	rest := t.rest(lines, told)
	if f.Head != "" {
		text := Fit(mask(f.Head) + "\n" + how)
		return join(text, lastLines(rest, MaxText-utf8.RuneCountInString(text)))
	}
	first := cutMiddle(head, MaxText/2)
	last := lastLines(rest, MaxText-utf8.RuneCountInString(join(first, how)))
	if room := MaxText - utf8.RuneCountInString(join(how, last)) - 1; room > MaxText/2 {
		first = cutMiddle(head, room)
	}
	return Fit(join(first, join(how, last)))
}

// Append puts more lines below a text, as many of the last as fit.
func Append(text, more string) string {
	room := MaxText - utf8.RuneCountInString(text) - 1
	return join(text, lastLines(strings.Split(more, "\n"), room))
}

// LastLines returns the last lines of a program's output that say something, in at most most characters.
func LastLines(output []byte, most int) string {
	lines := readable(output)
	return lastLines(newText(lines).rest(lines, finding{}), most)
}

// join puts one text below another one. Either may be empty.
func join(above, below string) string {
	if above == "" || below == "" {
		return above + below
	}
	return above + "\n" + below
}

// rest returns the lines that say more than the finding told, without blank lines and long rulers.
func (t *text) rest(lines []string, told finding) []string {
	const long, most = 20, 4096 // bytes of a long ruler; bytes of the finding that are compared
	first := told.text[:min(len(told.text), most)]
	bare := make([]string, len(lines))
	for _, l := range t.lines {
		bare[l.at] = joinWords(l.text)
	}
	var kept []string
	for i, text := range lines {
		if text != "" && !isTold(bare[i], first) && (len(text) < long || !isRuler(text)) {
			kept = append(kept, text)
		}
	}
	return kept
}

// isTold reports whether a line, without its tag, says no more than told. A line of a few characters can be a
// part of told by chance, so it counts only if it is the whole of told.
func isTold(line, told string) bool {
	const few, name = 12, 100 // bytes; name is the longest name of a function or process before a message
	line = strings.TrimPrefix(strings.TrimPrefix(strings.Trim(line, "│ "), "what(): "), unhandled)
	switch {
	case line == "" || told == "":
		return false
	case line == told:
		return true
	}
	if len(line) > few && strings.Contains(told, strings.TrimSuffix(line, ", error stack:")) {
		return true
	}
	before, ends := strings.CutSuffix(line, told)
	isNamed := ends && len(before) < name && (strings.HasPrefix(before, "[") || strings.HasSuffix(before, ": "))
	return isNamed && len(told) > few
}

// lastLines joins as many of the last lines as fit into room characters. It shortens the line before them if
// that makes it fit.
func lastLines(lines []string, room int) string {
	const useful = 40 // characters; a shorter piece of a line tells nothing
	var last []string
	for i := len(lines) - 1; i >= 0 && room > 1; i-- {
		n := utf8.RuneCountInString(lines[i])
		if n < room {
			last = append(last, lines[i])
			room -= n + 1
			continue
		}
		if room > useful {
			last = append(last, cutMiddle(lines[i], room-1))
		}
		break
	}
	for i, j := 0, len(last)-1; i < j; i, j = i+1, j-1 {
		last[i], last[j] = last[j], last[i]
	}
	return strings.Join(last, "\n")
}

// Fit shortens a text to MaxText characters of valid UTF-8 without NUL, so that the platform shows it whole.
func Fit(text string) string {
	text = strings.TrimSpace(Printable(text))
	if utf8.RuneCountInString(text) <= MaxText {
		return text
	}
	return string([]rune(text)[:MaxText-1]) + "…"
}
