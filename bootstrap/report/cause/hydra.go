package cause

import (
	"regexp"
	"slices"
	"strings"
)

// Hydra, the launcher of MPICH, prints these words when a process has failed.
const (
	badEnd     = "BAD TERMINATION OF"
	exitString = "TERMINATED WITH THE EXIT STRING"
)

// hydra reads the messages of MPICH and its launcher; Intel MPI prints the same. There are three forms.
// Of several lines "[mpiexec@host] function (file:line): message" the first one is the cause.
// "Abort(code) on node N: Fatal error in …" has a stack below it. "BAD TERMINATION" stands in a frame of
// "=" characters.
func hydra(p *process) []finding {
	if !p.hasAny("[mpiexec@", "[proxy:", "Abort(", badEnd, exitString, "Fatal error in ") {
		return nil
	}
	var found []finding
	own := regexp.MustCompile(`^\[(?:mpiexec|proxy:[\d:]+)@[\w.-]+\] (?:\w+ \([\w./-]+:\d+\): )?(.*)$`)
	abort := regexp.MustCompile(`^(?:Abort\(-?\d+\) on node |Fatal error in \w+: )`)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		switch {
		case p.taken[i]:
		case own.MatchString(text):
			last, host := i, text[:strings.IndexByte(text, ' ')+1]
			for last+1 < len(p.lines) && strings.HasPrefix(p.lines[last+1].text, host) {
				last++
			}
			f := p.newFinding(said, i, last, own.FindStringSubmatch(text)[1])
			i = last
			if containsAny(f.text, "assert (!closed) failed", "callback returned error status") {
				f.kind = wrapper
			}
			found = append(found, f)
		case abort.MatchString(text):
			f, last := p.mpichAbort(i)
			found = append(found, f)
			i = last
		case containsAny(text, badEnd, exitString):
			f, last := p.badTermination(i)
			found = append(found, f)
			i = last
		}
	}
	return found
}

// mpichAbort reads MPICH's fatal error with the innermost line of its stack, which is the last line. It also
// returns the number of that line.
func (p *process) mpichAbort(first int) (finding, int) {
	head := p.lines[first].text
	last := first
	if text, found := strings.CutSuffix(head, ", error stack:"); found {
		head = text
		stack := regexp.MustCompile(`^\w+\(\d+\)\.*: `)
		for last+1 < len(p.lines) && stack.MatchString(p.lines[last+1].text) {
			last++
		}
		if last > first {
			head += ": " + p.lines[last].text
		}
	}
	f := grade(p.newFinding(cause, first, last, head))
	f.deadly = true
	if strings.Contains(head, "application called MPI_Abort") {
		f.kind = summary
	}
	return f, last
}

// badTermination reads the words in the frame that begins at a line. It also returns the number of the last
// line that it read.
func (p *process) badTermination(first int) (finding, int) {
	var words []string
	i := first
	for ; i < min(first+8, len(p.lines)) && strings.HasPrefix(p.lines[i].text, "=") || i == first; i++ {
		text := strings.Trim(p.lines[i].text, "= \t")
		if text != "" && !strings.HasPrefix(text, "CLEANING UP") {
			words = append(words, text)
		}
		if isRuler(p.lines[i].text) {
			break
		}
	}
	return p.newFinding(summary, first, i-1, strings.Join(words, ", ")), i - 1
}

// hasAny reports whether any line contains any of some words.
func (p *process) hasAny(words ...string) bool {
	return slices.ContainsFunc(p.lines, func(l line) bool { return containsAny(l.text, words...) })
}
