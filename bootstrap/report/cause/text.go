package cause

import (
	"strings"
	"unicode/utf8"
)

// MaxText is how much of the failure file the platform shows, in characters.
const MaxText = 1024

// Failure is what the failure file tells of.
type Failure struct {
	Head   string   // why, where this is known from elsewhere; else the program's output says it
	How    string   // how the program ended
	Hints  []string // what else is known
	Output []byte   // the program's last words
	End    End
}

// Text is what the platform shows of a failure: valid UTF-8, at most MaxText characters, the cause first.
// Then come how the program ended, the hints, and as many of its last lines as there is room for. No line is
// told twice. What mask hides is hidden before anything is cut.
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
	first := squeeze(head, MaxText/2)
	last := lastLines(rest, MaxText-utf8.RuneCountInString(join(first, how)))
	if room := MaxText - utf8.RuneCountInString(join(how, last)) - 1; room > MaxText/2 {
		first = squeeze(head, room)
	}
	return Fit(join(first, join(how, last)))
}

// join puts one text below another one.
func join(above, below string) string {
	if above == "" || below == "" {
		return above + below
	}
	return above + "\n" + below
}

// rest are the lines that are not told above them, without those that only separate.
func (t *text) rest(lines []string, told finding) []string {
	const long, most = 20, 4096 // bytes of a ruler, and of what is compared
	first := told.text[:min(len(told.text), most)]
	bare := make([]string, len(lines))
	for _, l := range t.lines {
		bare[l.at] = oneLine(l.text)
	}
	var kept []string
	for i, text := range lines {
		if text != "" && !isTold(bare[i], first) && (len(text) < long || !isRuler(text)) {
			kept = append(kept, text)
		}
	}
	return kept
}

// isTold says whether a line, without its tag, says no more than what stands first. A few characters may be a
// part of that by chance.
func isTold(line, told string) bool {
	const few, name = 12, 100 // name is of the function and the process in front of a message
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

// lastLines joins the last lines that room, in characters, is enough for. Of the first that is too long, the
// middle is left out.
func lastLines(lines []string, room int) string {
	const useful = 40 // characters; less of a line tells nothing
	var last []string
	for i := len(lines) - 1; i >= 0 && room > 1; i-- {
		n := utf8.RuneCountInString(lines[i])
		if n < room {
			last = append(last, lines[i])
			room -= n + 1
			continue
		}
		if room > useful {
			last = append(last, squeeze(lines[i], room-1))
		}
		break
	}
	for i, j := 0, len(last)-1; i < j; i, j = i+1, j-1 {
		last[i], last[j] = last[j], last[i]
	}
	return strings.Join(last, "\n")
}

// Fit makes a text that the platform shows whole.
func Fit(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd"))
	if utf8.RuneCountInString(text) <= MaxText {
		return text
	}
	return string([]rune(text)[:MaxText-1]) + "…"
}
