package cause

import (
	"slices"
	"strings"
	"unicode"
)

// withReason adds to a finding what was said for it just before. CUDA's error for an assertion on a device
// gets the assertion, which the device has printed. Who calls MPI_Abort mostly says why.
func (t *text) withReason(f finding) finding {
	switch {
	case strings.Contains(f.text, "device-side assert"):
		i := slices.IndexFunc(t.findings, func(other finding) bool { return isDeviceAssertion(other.text) })
		if i >= 0 {
			f.text += ": " + t.findings[i].text
		}
	case f.kind == summary && strings.Contains(strings.ToUpper(f.text), "MPI_ABORT"):
		for _, other := range slices.Backward(t.findings) {
			if other.kind == mention && other.last < f.at && t.between(other, f) == 0 {
				return other
			}
		}
	}
	return f
}

// lastLine is what is left where nothing looks like an error: the last plain line before a place. An innocent
// process's line is better than none.
func (t *text) lastLine(before int) finding {
	is := []func(line) bool{
		func(l line) bool { return t.plain[l.at] },
		func(l line) bool { return isPeer(l.text) },
		func(l line) bool {
			return isNoise(l.text) && l.text != "" && !isIndented(l.text) && !isRuler(l.text)
		},
	}
	for _, is := range is {
		for _, l := range slices.Backward(t.lines) {
			if l.at < before && is(l) {
				return finding{at: l.at, last: l.at, tag: l.tag, text: oneLine(l.text), kind: mention}
			}
		}
	}
	return finding{}
}

// lastWord is a last line that is not like the lines before it: what a program says when it gives up, in
// words that no pattern knows. It has three words at least, since "Bye" says nothing.
func (t *text) lastWord() finding {
	last := t.lastLine(len(t.ordinary))
	few := len(strings.Fields(last.text)) < 3
	if few || !t.plain[last.at] || t.ordinaryAfter(last.at) > 0 || isHarmless(last.text) {
		return finding{}
	}
	kind, others := firstWord(last.text), 0
	for _, l := range slices.Backward(t.lines) {
		if l.at >= last.at || !t.plain[l.at] {
			continue
		}
		if firstWord(l.text) == kind {
			return finding{}
		}
		if others++; others == muchOutput {
			break
		}
	}
	return last
}

// firstWord is a line's first word of letters, which the lines of a log or of a progress have in common.
func firstWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
