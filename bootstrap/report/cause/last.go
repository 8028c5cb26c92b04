package cause

import (
	"slices"
	"strings"
	"unicode"
)

// withReason adds to a finding the reason that an earlier line gives. CUDA reports only that an assertion
// on a device failed; the device itself has printed which one. A program that calls MPI_Abort usually
// says why in the line before.
func (t *text) withReason(f finding) finding {
	switch {
	case strings.Contains(f.text, "device-side assert"):
		i := slices.IndexFunc(t.findings, func(other finding) bool { return isDeviceAssertion(other.text) })
		if i >= 0 {
			f.text += ": " + t.findings[i].text
		}
	case f.kind == summary && strings.Contains(strings.ToUpper(f.text), "MPI_ABORT"):
		for _, other := range slices.Backward(t.findings) {
			if other.kind == mention && other.last < f.at && t.plainBetween(other, f) == 0 {
				return other
			}
		}
	}
	return f
}

// lastLine returns the last plain line before a line, for an output in which nothing looks like an error. If
// there is no plain line, it returns the line of an innocent process, which is better than nothing.
func (t *text) lastLine(before int) finding {
	tests := []func(line) bool{
		func(l line) bool { return t.plain[l.at] },
		func(l line) bool { return isPeer(l.text) },
		func(l line) bool {
			isShown := l.text != "" && !isIndented(l.text) && !isRuler(l.text)
			return isShown && isNoise(l.text) && !isEchoOfOpenMPI(l.text)
		},
	}
	for _, isWanted := range tests {
		for _, l := range slices.Backward(t.lines) {
			if l.at < before && isWanted(l) {
				return finding{at: l.at, last: l.at, tag: l.tag, text: joinWords(l.text), kind: mention}
			}
		}
	}
	return finding{}
}

// unusualLastLine returns the last line if it differs from the lines before it: a program that gives up may
// say so in words that no pattern matches. The line has three words at least, because "Bye" says nothing.
func (t *text) unusualLastLine() finding {
	last := t.lastLine(len(t.plainBefore))
	few := len(strings.Fields(last.text)) < 3
	if few || !t.plain[last.at] || t.plainAfter(last.at) > 0 || isHarmless(last.text) {
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

// firstWord is the first word of letters in a line. The lines of a log or of a progress report have it in
// common.
func firstWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
