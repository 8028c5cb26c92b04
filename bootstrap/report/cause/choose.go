package cause

import (
	"slices"
	"strconv"
	"strings"
)

const (
	muchOutput = 30 // lines of other output; a process that prints more after an error has survived the error
	maxGap     = 8  // lines of other output between two findings of the same failure, at most
)

// newText reads the lines of an output and collects the findings in them.
func newText(texts []string) *text {
	t := &text{lines: untag(texts)}
	t.lines = withoutLogging(t.lines)
	var all []*process
	for _, p := range processes(t.lines) {
		all = append(all, p)
		t.blocks = append(t.blocks, rootCauses(p)...)
		for _, read := range readers() {
			t.findings = append(t.findings, read(p)...)
		}
	}
	slices.SortStableFunc(t.findings, func(a, b finding) int { return a.at - b.at })
	slices.SortStableFunc(t.blocks, func(a, b rootCause) int { return a.last - b.last })
	t.count(len(texts), all)
	return t
}

// readers returns the readers in the order in which they may claim lines. A reader of a distinctive form
// comes before a reader of general messages.
func readers() []func(*process) []finding {
	return []func(*process) []finding{openMPI, hydra, java, python, native, rust, scripts, messages}
}

// count marks and counts the plain lines.
func (t *text) count(lines int, all []*process) {
	t.plain, t.plainBefore = make([]bool, lines), make([]int, lines+1)
	for _, p := range all {
		for i, l := range p.lines {
			t.plain[l.at] = !p.taken[i] && !isNoise(l.text) && !strings.HasPrefix(l.text, "wandb: ")
		}
	}
	for i, plain := range t.plain {
		t.plainBefore[i+1] = t.plainBefore[i]
		if plain {
			t.plainBefore[i+1]++
		}
	}
}

// plainAfter is the number of plain lines after a line.
func (t *text) plainAfter(line int) int {
	return t.plainBefore[len(t.plainBefore)-1] - t.plainBefore[line+1]
}

// plainBetween is the number of plain lines between two findings.
func (t *text) plainBetween(a, b finding) int {
	return max(0, t.plainBefore[b.at]-t.plainBefore[min(a.last+1, b.at)])
}

// cause returns the finding that says why the program failed.
func (t *text) cause(end End) finding {
	if root, found := t.rootCause(); found && end.Signal == 0 && t.plainAfter(root.last) <= muchOutput {
		return t.causeOfRank(root)
	}
	if f := t.choose(t.findings, end); f.kind != none {
		if own := t.lastLine(f.at); f.follower && own.text != "" && !isHarmless(own.text) {
			return own
		}
		if word := t.unusualLastLine(); word.text != "" && t.plainAfter(f.last) > muchOutput {
			return word
		}
		return t.withReason(f)
	}
	if end.Signal != 0 {
		return finding{} // the signal says more than the last line
	}
	return t.lastLine(len(t.plainBefore))
}

// choose returns one of several findings. It looks first at findings that have little output after them,
// and at the others only if none remains. Among them it takes the highest kind. Among several of that
// kind it takes the first finding of the last failure.
func (t *text) choose(all []finding, end End) finding {
	var fresh, stale []finding
	for _, f := range all {
		switch old := t.plainAfter(f.last) > muchOutput || t.isSurvived(f); {
		case !canExplain(f, old, end):
		case old:
			stale = append(stale, f)
		default:
			fresh = append(fresh, f)
		}
	}
	misused := end == End{Code: 2} && slices.ContainsFunc(fresh, func(f finding) bool { return f.usage })
	for _, group := range [][]finding{fresh, stale} {
		for k := cause; k > none; k-- {
			isOther := func(f finding) bool { return kindFor(f, misused) != k }
			if found := slices.DeleteFunc(slices.Clone(group), isOther); len(found) > 0 {
				return t.firstOfLastFailure(found)
			}
		}
	}
	return finding{}
}

// kindFor is the kind of a finding when the program may have been called with bad arguments. Argparse and
// other parsers exit with 2 then, so a complaint about an argument is the cause, and an exception before
// it is not.
func kindFor(f finding, misused bool) kind {
	switch {
	case misused && f.usage:
		return cause
	case misused && f.kind == cause && !f.deadly:
		return said
	}
	return f.kind
}

// canExplain reports whether a finding can be the reason for an end. A process that another one killed cannot
// say why. After a crash only a deadly finding counts, or an error message just before the end. An exception
// with much output after it counts only if the exit code is 1, the code of an uncaught exception.
func canExplain(f finding, old bool, end End) bool {
	switch {
	case end.Signal != 0 && !isCrash(end.Signal):
		return false
	case end.Signal != 0:
		return !old && (f.deadly || f.kind == said)
	case old && end.Code > 1:
		return f.deadly || f.kind < peer
	}
	return true
}

// isCrash reports whether a signal is one that a process causes by its own fault: SIGILL, SIGTRAP, SIGABRT,
// SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
func isCrash(signal int) bool { return slices.Contains([]int{4, 5, 6, 7, 8, 11, 31}, signal) }

// firstOfLastFailure groups findings of one kind by failure, and returns the first finding of the last
// failure: the later findings are its consequences. If the same process then reports something deadly, it
// returns that, because the process survived the first finding.
func (t *text) firstOfLastFailure(found []finding) finding {
	i := len(found) - 1
	for i > 0 && t.isSameFailure(found[i-1], found[i]) {
		i--
	}
	first := found[i]
	for _, f := range found[i+1:] {
		if f.tag == first.tag && f.deadly && !first.deadly {
			return f
		}
	}
	return first
}

// isSurvived reports whether the program says, in a finding or in the two lines after it, that it goes on. A
// deadly finding is never survived.
func (t *text) isSurvived(f finding) bool {
	if f.deadly || t.plainAfter(f.last) == 0 {
		return false
	}
	if isGoingOn(f.text) {
		return true
	}
	from, _ := slices.BinarySearchFunc(t.lines, f.last+1, func(l line, at int) int { return l.at - at })
	for _, l := range t.lines[from:min(from+2, len(t.lines))] {
		if isGoingOn(l.text) {
			return true
		}
	}
	return false
}

// isSameFailure reports whether two findings belong to one failure.
func (t *text) isSameFailure(a, b finding) bool {
	between := t.plainBetween(a, b)
	if between > maxGap || between > 0 && a.tag != "" && a.tag == b.tag && a.kind == cause {
		return false
	}
	if between == 0 {
		return true
	}
	from, _ := slices.BinarySearchFunc(t.lines, a.last+1, func(l line, at int) int { return l.at - at })
	for _, l := range t.lines[from:] {
		if l.at >= b.at {
			break
		}
		if isGoingOn(l.text) {
			return false
		}
	}
	return true
}

// isGoingOn reports whether a line says that the program goes on after a failure.
func isGoingOn(line string) bool {
	return containsAny(strings.ToLower(line),
		"retry", "trying again", "ignoring", "skipping", "falling back", "going on", "continuing", "without it",
	)
}

// causeOfRank returns why the rank that torchrun names failed. If torchrun does not say why, the rank's own
// findings count.
func (t *text) causeOfRank(root rootCause) finding {
	own := t.choose(t.ofRank(root.rank), root.end)
	known := own.kind == cause || own.kind == said || own.kind == mention
	f := finding{at: root.at, last: root.last, kind: cause, text: root.says}
	switch {
	case root.says == "" && !known:
		f.text = "exit code " + strconv.Itoa(root.end.Code)
	case known && (root.says == "" || root.end.Signal != 0 || isPeer(root.says) && own.kind != mention):
		f = own
		if other := rankOf(own.tag); other != "" && other != root.rank {
			return f
		}
	}
	f.text = "rank " + root.rank + ": " + f.text
	return f
}

// ofRank returns the findings with the tag of a rank, or all findings if none has that tag.
func (t *text) ofRank(rank string) []finding {
	other := func(f finding) bool { return rankOf(f.tag) != rank || f.kind == peer }
	own := slices.DeleteFunc(slices.Clone(t.findings), other)
	if len(own) > 0 {
		return own
	}
	return t.findings
}

// rankOf returns the rank in a tag such as "[rank1]:", or "" if the tag names no rank.
func rankOf(tag string) string {
	_, rank, _ := strings.Cut(tag, "[rank")
	rank, _, _ = strings.Cut(rank, "]")
	return rank
}
