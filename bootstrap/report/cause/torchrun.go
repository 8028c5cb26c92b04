package cause

import (
	"regexp"
	"strconv"
	"strings"
)

// rootCause is the block in which torchrun (torch.distributed.elastic.multiprocessing.errors) names the rank
// that failed first.
type rootCause struct {
	at, last int
	rank     string
	end      End
	says     string // the exception where the worker has @record, or which signal ended it
}

const rootCauseHead = "Root Cause (first observed failure):"

// code is the exit code of the rank as a shell has it.
func (r rootCause) code() int {
	if r.end.Signal != 0 {
		return 128 + r.end.Signal
	}
	return r.end.Code
}

// rootCause is the last block of all processes.
func (t *text) rootCause() (rootCause, bool) {
	if len(t.blocks) == 0 {
		return rootCause{}, false
	}
	return t.blocks[len(t.blocks)-1], true
}

// rootCauses reads the blocks of a process.
func rootCauses(p *process) []rootCause {
	var blocks []rootCause
	var field *regexp.Regexp
	for i := 0; i < len(p.lines); i++ {
		if strings.HasPrefix(p.lines[i].text, rootCauseHead) {
			if field == nil {
				field = regexp.MustCompile(`^ +([a-z_]+) *: +(.*)$`)
			}
			var block rootCause
			if block, i = p.rootCause(i, field); block.rank != "" {
				blocks = append(blocks, block)
			}
		}
	}
	return blocks
}

// rootCause reads the block that begins at a line, and takes it. Its lines are indented but for the rank's
// number; a ruler ends it. The exception is the last line of the traceback.
func (p *process) rootCause(first int, field *regexp.Regexp) (rootCause, int) {
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
			inTraceback = block.set(parts[1], parts[2])
		}
		p.taken[i] = true
	}
	block.last = p.lines[min(i, len(p.lines)-1)].at
	return block, i
}

// set takes a field; true is for the first line of a traceback.
func (r *rootCause) set(name, value string) bool {
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
