package cause

import (
	"regexp"
	"slices"
	"strings"
)

// What Hydra prints when a process has failed.
const (
	badEnd     = "BAD TERMINATION OF"
	exitString = "TERMINATED WITH THE EXIT STRING"
)

// hydra reads what MPICH and its launcher print: lines "[mpiexec@host] function (file:line): message" of
// which the first one is the cause, "Abort(code) on node N: Fatal error in …" with a stack, and the frame of
// "BAD TERMINATION". Intel MPI prints the same.
func hydra(p *process) []finding {
	if !p.has("[mpiexec@", "[proxy:", "Abort(", badEnd, exitString, "Fatal error in ") {
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
			f := p.find(said, i, last, own.FindStringSubmatch(text)[1])
			i = last
			if contains(f.text, "assert (!closed) failed", "callback returned error status") {
				f.kind = wrapper
			}
			found = append(found, f)
		case abort.MatchString(text):
			f, last := p.abort(i)
			found = append(found, f)
			i = last
		case contains(text, badEnd, exitString):
			f, last := p.badTermination(i)
			found = append(found, f)
			i = last
		}
	}
	return found
}

// abort is MPICH's fatal error with the innermost line of its stack, which comes last.
func (p *process) abort(first int) (finding, int) {
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
	f := grade(p.find(cause, first, last, head))
	f.deadly = true
	if strings.Contains(head, "application called MPI_Abort") {
		f.kind = summary
	}
	return f, last
}

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
	return p.find(summary, first, i-1, strings.Join(words, ", ")), i - 1
}

// has says whether any line has any of some words.
func (p *process) has(words ...string) bool {
	return slices.ContainsFunc(p.lines, func(l line) bool { return contains(l.text, words...) })
}
