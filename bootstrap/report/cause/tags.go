package cause

import (
	"regexp"
	"strings"
	"sync"
)

// line is one line without its tag.
type line struct {
	text string
	tag  string // what a launcher put in front of each line of one process, such as "[rank0]: "
	at   int    // its number in the whole text
}

// process is the lines of one tag, in their order. A line that a reader has taken is of no use to the next
// one.
type process struct {
	tag   string
	lines []line
	taken []bool
}

// Marker is in the first line of Python's report of an exception. What follows the last one is worth keeping,
// however much a program writes after it.
const Marker = traceback

// traceback is how Python's interpreter begins such a report; rich and loguru leave out the colon behind it.
const traceback = "Traceback (most recent call last)"

// untag takes the tags off.
func untag(texts []string) []line {
	pattern := sync.OnceValue(tagPattern)
	learned := learnTags(texts)
	lines := make([]line, len(texts))
	for i, text := range texts {
		lines[i] = line{text: text, at: i}
		for range 3 { // Open MPI's under srun's
			n := tagLength(lines[i].text, pattern, learned)
			if n == 0 {
				break
			}
			lines[i].tag += strings.TrimSpace(lines[i].text[:n])
			lines[i].text = lines[i].text[n:]
		}
	}
	return lines
}

// tagPattern knows the tags of launchers: Open MPI's "[1,1]<stderr>:" and its version 5's
// "[prterun-…@1,0]<stderr>: ", Horovod's "[1]<stderr>:", torch's "[rank0]: ", torchrun's "[default0]:", the
// "[0]" of MPICH and Intel MPI, the "0:" of srun, "(Actor pid=1, ip=…)" of Ray, the "algo-2:" of pdsh, which
// DeepSpeed uses, and the "app-1  |" of Docker's compose.
func tagPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\[[^\]\s]{1,80}\]<std(?:err|out|diag)>: ?|` +
		`\[(?:rank|default|trainer|worker|local_rank)[ :]*\d+\]: ?|` +
		`\[\d{1,6}\]:? |\[rank: \d+\] |\d{1,6}: |` +
		`\([\w.:<>\[\]-]* ?pid=\d+[^)]*\) (?:\[repeated[^\]]*\] )?|\(raylet[^)]*\) |` +
		`[a-z][a-z0-9.-]*-\d+: |[\w.-]+[-_]\d+ +\| )`)
}

// learnedLength is how many bytes of a line are a tag that was learned.
func learnedLength(text string, learned map[string]bool) int {
	const few = 32 // tags, of which each line is compared with all
	longest := 0
	if len(learned) <= few {
		for tag := range learned {
			if strings.HasPrefix(text, tag) {
				longest = max(longest, len(tag))
			}
		}
		return longest
	}
	if end := strings.IndexAny(text, ":]>)|"); end > 0 {
		for _, n := range []int{end + 1, end + 2, end + 3} {
			if n <= len(text) && learned[text[:n]] {
				return n
			}
		}
	}
	return 0
}

// tagLength is how many bytes of a line are its tag. A frame of a stack may begin as a tag does.
func tagLength(text string, pattern func() *regexp.Regexp, learned map[string]bool) int {
	if n := learnedLength(text, learned); n > 0 {
		return n
	}
	if text == "" || !isTagStart(text[0]) {
		return 0
	}
	n := len(pattern().FindString(text))
	if n == 0 || isFrame(strings.TrimSpace(text)) {
		return 0
	}
	return n
}

// isTagStart says whether a tag can begin with a byte.
func isTagStart(b byte) bool {
	return b == '[' || b == '(' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}

// learnTags finds tags of any other form: what stands in front of a traceback's first line and of a following
// frame.
func learnTags(texts []string) map[string]bool {
	learned := map[string]bool{}
	for i, text := range texts {
		tag, _, found := strings.Cut(text, traceback)
		const most, mark = 64, 3 // characters of a tag, and of its end
		if !found || tag == "" || len(tag) > most || strings.LastIndexAny(tag, ":]>)|") < len(tag)-mark || isIndented(tag) {
			continue
		}
		for _, next := range texts[i+1 : min(i+30, len(texts))] {
			if strings.HasPrefix(next, tag+"  ") {
				learned[tag] = true
				break
			}
		}
	}
	return learned
}

// processes sorts the lines by their tags, in the order in which the tags come.
func processes(lines []line) []*process {
	var all []*process
	byTag := map[string]*process{}
	for _, l := range lines {
		p := byTag[l.tag]
		if p == nil {
			p = &process{tag: l.tag}
			byTag[l.tag] = p
			all = append(all, p)
		}
		p.lines = append(p.lines, l)
	}
	for _, p := range all {
		p.taken = make([]bool, len(p.lines))
	}
	return all
}

// find makes a finding of a process's lines from first to last, and takes them.
func (p *process) find(k kind, first, last int, text string) finding {
	last = min(last, len(p.lines)-1)
	for i := first; i <= last; i++ {
		p.taken[i] = true
	}
	return finding{at: p.lines[first].at, last: p.lines[last].at, tag: p.tag, text: oneLine(text), kind: k}
}

// message is a line and what belongs to it: the next line after a colon at the end, and indented lines that
// are no stack. It returns the last line's number too.
func (p *process) message(at int) (text string, last int) {
	text, last = p.lines[at].text, at
	for next := at + 1; next < min(at+4, len(p.lines)); next++ {
		line := p.lines[next].text
		open := strings.HasSuffix(strings.TrimSpace(text), ":")
		switch {
		case line == "" && open && next == at+1:
			continue
		case line == "" || isNoise(line) || strings.Contains(line, traceback) || !open && !isIndented(line):
			return text, last
		}
		text, last = text+" "+strings.TrimSpace(line), next
	}
	return text, last
}
