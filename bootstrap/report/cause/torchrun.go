package cause

import (
	"regexp"
	"strconv"
	"strings"
)

// rootCause is the block in which torchrun names the rank that failed first. The module
// torch.distributed.elastic.multiprocessing.errors prints it.
type rootCause struct {
	at, last int
	rank     string
	end      End
	says     string // the exception if the worker uses @record, or the signal that ended the worker
}

const rootCauseHead = "Root Cause (first observed failure):"

// code is the exit code of the rank as a shell reports it: 128 plus the number of the signal that ended it.
func (r rootCause) code() int {
	if r.end.Signal != 0 {
		return 128 + r.end.Signal
	}
	return r.end.Code
}

// FailedRank returns the rank that torchrun names as the first one to fail: its number, how it ended, and
// what it said; rank is empty if the output names none.
func FailedRank(output []byte) (rank string, end End, says string) {
	t := newText(readable(output))
	root, found := t.rootCause()
	if !found || t.plainAfter(root.last) > muchOutput {
		return "", End{}, ""
	}
	says, own := strings.CutPrefix(t.causeOfRank(root).text, "rank "+root.rank+": ")
	if own && says == "exit code "+strconv.Itoa(root.end.Code) {
		says = "" // nobody says more
	}
	return root.rank, End{Code: root.code(), Signal: root.end.Signal}, says
}

// rootCause returns the last block in the output, and whether there is one.
func (t *text) rootCause() (rootCause, bool) {
	if len(t.blocks) == 0 {
		return rootCause{}, false
	}
	return t.blocks[len(t.blocks)-1], true
}

// rootCauses reads all blocks of a process.
func rootCauses(p *process) []rootCause {
	var blocks []rootCause
	var field *regexp.Regexp
	for i := 0; i < len(p.lines); i++ {
		if strings.HasPrefix(p.lines[i].text, rootCauseHead) {
			if field == nil {
				field = regexp.MustCompile(`^ +([a-z_]+) *: +(.*)$`)
			}
			var block rootCause
			if block, i = p.readRootCause(i, field); block.rank != "" {
				blocks = append(blocks, block)
			}
		}
	}
	return blocks
}

// readRootCause reads the block that begins at a line, and claims its lines. It also returns the number
// of the line after the block. All lines are indented, except the one with the number of the rank; a
// ruler ends the block. The exception is the last line of the traceback.
func (p *process) readRootCause(first int, field *regexp.Regexp) (rootCause, int) {
	block := rootCause{at: p.lines[first].at}
	i, inTraceback := first, false
	for ; i < len(p.lines); i++ {
		text := p.lines[i].text
		if i > first && text != "" && !isIndented(text) && !strings.HasPrefix(text, "[") {
			break
		}
		parts := field.FindStringSubmatch(text)
		switch {
		case inTraceback:
			if strings.HasPrefix(text, "  ") && !isIndented(text[2:]) && isException(text[2:]) {
				block.says = strings.TrimSpace(text)
			}
		case parts != nil:
			inTraceback = block.setField(parts[1], parts[2])
		}
		p.taken[i] = true
	}
	block.last = p.lines[min(i, len(p.lines)-1)].at
	return block, i
}

// setField stores a field of the block. It returns true if the field begins a traceback.
func (r *rootCause) setField(name, value string) bool {
	word, _, _ := strings.Cut(value, " ")
	switch name {
	case "rank":
		if _, err := strconv.Atoi(word); err == nil {
			r.rank = word
		}
	case "exitcode":
		n, _ := strconv.Atoi(word)
		if n >= 0 && n < 256 {
			r.end = End{Code: n}
		} else if n < 0 && n > -65 {
			r.end = End{Code: 128 - n, Signal: -n}
		}
	case "traceback":
		if strings.HasPrefix(value, "Signal ") {
			r.says = value
		}
		return strings.HasPrefix(value, "Traceback")
	}
	return false
}
