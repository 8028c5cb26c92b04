package cause

import (
	"regexp"
	"strings"
	"sync"
)

// line is one line without its tag.
type line struct {
	text string
	tag  string // the text that a launcher puts in front of each line of one process, such as "[rank0]: "
	at   int    // the number of the line in the whole text
}

// process is the lines with one tag, in their order. When a reader has claimed a line, other readers skip it.
type process struct {
	tag   string
	lines []line
	taken []bool
}

// Marker stands in the first line of a Python traceback. A caller that keeps only the end of an output should
// also keep the text after the last Marker, however much the program writes after it.
const Marker = traceback

// traceback begins a traceback of Python. A colon follows it, which rich and loguru leave out.
const traceback = "Traceback (most recent call last)"

// untag separates each line from its tags.
func untag(texts []string) []line {
	pattern := sync.OnceValue(tagPattern)
	learned := learnTags(texts)
	lines := make([]line, len(texts))
	for i, text := range texts {
		lines[i] = line{text: text, at: i}
		for range 3 { // launchers can be nested: srun puts its tag in front of Open MPI's
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

// tagPattern matches the tags of launchers: "[1,1]<stderr>:" of Open MPI 4, "[prterun-…@1,0]<stderr>: " of
// Open MPI 5, "[1]<stderr>:" of Horovod, "[rank0]: " of torch, "[default0]:" of torchrun, "[0]" of MPICH and
// Intel MPI, "0:" of srun, "(Actor pid=1, ip=…)" of Ray, "algo-2:" of pdsh, which DeepSpeed uses, and
// "app-1  |" of Docker's compose.
func tagPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\[[^\]\s]{1,80}\]<std(?:err|out|diag)>: ?|` +
		`\[(?:rank|default|trainer|worker|local_rank)[ :]*\d+\]: ?|` +
		`\[\d{1,6}\]:? |\[rank:? \d+\] |\d{1,6}: |` +
		`\([\w.:<>\[\]-]* ?pid=\d+[^)]*\) (?:\[repeated[^\]]*\] )?|\(raylet[^)]*\) |` +
		`[a-z][a-z0-9.-]*-\d+: |[\w.-]+[-_]\d+ +\| )`)
}

// learnedLength is the number of bytes of the learned tag at the start of a line, or 0.
func learnedLength(text string, learned map[string]bool) int {
	const few = 32 // tags; up to this number each line is compared with all of them
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

// tagLength is the number of bytes of the tag at the start of a line, or 0. A frame of a stack may begin
// like a tag and has none.
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

// isTagStart reports whether a tag can begin with a byte.
func isTagStart(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' || b == '[' || b == '('
}

// learnTags finds tags of any other form: the same text in front of the first line of a traceback and of
// one of its frames.
func learnTags(texts []string) map[string]bool {
	learned := map[string]bool{}
	for i, text := range texts {
		tag, _, found := strings.Cut(text, traceback)
		const most, mark = 64, 3 // bytes of a tag, and of the mark at its end
		isTag := found && tag != "" && len(tag) <= most && !isIndented(tag)
		if !isTag || strings.LastIndexAny(tag, ":]>)|") < len(tag)-mark {
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

// processes groups the lines by their tags, in the order in which the tags first appear.
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

// newFinding makes a finding of the lines from first to last, and claims these lines.
func (p *process) newFinding(k kind, first, last int, text string) finding {
	last = min(last, len(p.lines)-1)
	for i := first; i <= last; i++ {
		p.taken[i] = true
	}
	return finding{at: p.lines[first].at, last: p.lines[last].at, tag: p.tag, text: joinWords(text), kind: k}
}

// message returns a line together with the lines that belong to it, and the number of the last one. The next
// line belongs to it if the line ends with a colon. Indented lines belong to it unless they are a stack.
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
