package cause

import (
	"slices"
	"strconv"
	"strings"
)

const (
	muchOutput = 30 // lines of other output after which a process has survived what it said before
	burst      = 8  // lines of other output between what belongs to one failure, at most
)

// newText reads an output.
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

// readers are in the order in which they take lines: what has a form of its own comes first.
func readers() []func(*process) []finding {
	return []func(*process) []finding{openMPI, hydra, java, python, native, rust, scripts, messages}
}

// count counts the lines that are no part of a finding.
func (t *text) count(lines int, all []*process) {
	t.plain, t.ordinary = make([]bool, lines), make([]int, lines+1)
	for _, p := range all {
		for i, l := range p.lines {
			t.plain[l.at] = !p.taken[i] && !isNoise(l.text) && !strings.HasPrefix(l.text, "wandb: ")
		}
	}
	for i, plain := range t.plain {
		t.ordinary[i+1] = t.ordinary[i]
		if plain {
			t.ordinary[i+1]++
		}
	}
}

func (t *text) ordinaryAfter(line int) int { return t.ordinary[len(t.ordinary)-1] - t.ordinary[line+1] }

func (t *text) between(a, b finding) int {
	return max(0, t.ordinary[b.at]-t.ordinary[min(a.last+1, b.at)])
}

// cause is the finding that says why the program failed.
func (t *text) cause(end End) finding {
	if root, found := t.rootCause(); found && end.Signal == 0 && t.ordinaryAfter(root.last) <= muchOutput {
		return t.causeOfRank(root)
	}
	if f := t.choose(t.findings, end); f.kind != none {
		if own := t.lastLine(f.at); f.follower && own.text != "" && !isHarmless(own.text) {
			return own
		}
		if word := t.lastWord(); word.text != "" && t.ordinaryAfter(f.last) > muchOutput {
			return word
		}
		return t.withReason(f)
	}
	if end.Signal != 0 {
		return finding{} // how it ended says more than its last line
	}
	return t.lastLine(len(t.ordinary))
}

// choose takes one finding. Those with much output after them count only where there is no other one; of
// both, the highest kind counts; of several of that kind, the first one of the last burst.
func (t *text) choose(all []finding, end End) finding {
	var fresh, stale []finding
	for _, f := range all {
		switch old := t.ordinaryAfter(f.last) > muchOutput || t.isSurvived(f); {
		case !canEnd(f, old, end):
		case old:
			stale = append(stale, f)
		default:
			fresh = append(fresh, f)
		}
	}
	misused := end == End{Code: 2} && slices.ContainsFunc(fresh, func(f finding) bool { return f.usage })
	for _, group := range [][]finding{fresh, stale} {
		for k := cause; k > none; k-- {
			other := func(f finding) bool { return kindAt(f, misused) != k }
			of := slices.DeleteFunc(slices.Clone(group), other)
			if len(of) > 0 {
				return t.firstOfLastBurst(of)
			}
		}
	}
	return finding{}
}

// kindAt is a finding's kind for a program that may have been misused: where argparse and others end with 2,
// the complaint about an argument is the end, and not an exception before it.
func kindAt(f finding, misused bool) kind {
	switch {
	case misused && f.usage:
		return cause
	case misused && f.kind == cause && !f.deadly:
		return said
	}
	return f.kind
}

// canEnd says whether a finding can be the reason of an end. Nobody says why somebody else kills. After a
// crash only what ends a process at once counts, or an error message just before. An exception that was
// survived counts only where the exit code is that of an exception.
func canEnd(f finding, old bool, end End) bool {
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

// isCrash says whether a process brings a signal on itself: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
// SIGSEGV, SIGSYS.
func isCrash(signal int) bool { return slices.Contains([]int{4, 5, 6, 7, 8, 11, 31}, signal) }

// firstOfLastBurst takes of several findings of one kind the first one of those that came together at last:
// the others come of it. Of one process the end counts: what it survived was before.
func (t *text) firstOfLastBurst(of []finding) finding {
	i := len(of) - 1
	for i > 0 && t.isTogether(of[i-1], of[i]) {
		i--
	}
	first := of[i]
	for _, f := range of[i+1:] {
		if f.tag == first.tag && f.deadly && !first.deadly {
			return f
		}
	}
	return first
}

// isSurvived says whether the program says, in a finding or soon after it, that it goes on. What a process
// cannot survive it has not.
func (t *text) isSurvived(f finding) bool {
	if f.deadly || t.ordinaryAfter(f.last) == 0 {
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

// isTogether says whether two findings belong to one failure.
func (t *text) isTogether(a, b finding) bool {
	between := t.between(a, b)
	if between > burst || between > 0 && a.tag != "" && a.tag == b.tag && a.kind == cause {
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

// isGoingOn says whether a line tells that the program goes on after a failure.
func isGoingOn(line string) bool {
	line = strings.ToLower(line)
	return contains(line, "retry", "trying again", "ignoring", "skipping", "falling back", "going on", "continuing",
		"without it")
}

// causeOfRank is why a rank failed that torchrun names. The rank's own report counts where torchrun has none.
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

// ofRank gives the findings of a rank where some have its tag, else all.
func (t *text) ofRank(rank string) []finding {
	other := func(f finding) bool { return rankOf(f.tag) != rank || f.kind == peer }
	own := slices.DeleteFunc(slices.Clone(t.findings), other)
	if len(own) > 0 {
		return own
	}
	return t.findings
}

// rankOf is the rank in a tag such as "[rank1]:".
func rankOf(tag string) string {
	_, rank, _ := strings.Cut(tag, "[rank")
	rank, _, _ = strings.Cut(rank, "]")
	return rank
}
