package cause

import (
	"regexp"
	"strings"
	"sync"
)

// ruler is the line that Open MPI (opal/util/show_help.c) prints before and after a help text. The ruler
// around a help text about options (opal/util/cmd_line.c) has two characters more.
const ruler = "--------------------------------------------------------------------------"

func isHelpRuler(text string) bool { return text == ruler || text == ruler+"--" }

// isFollower reports whether a help text of Open MPI describes a consequence of another failure.
func isFollower(text string) bool {
	return hasAnyPrefix(text,
		"It looks like ", "An internal error has occurred in ORTE", "ORTE was unable to reliably start",
		"PRTE was unable to reliably start", "ORTE does not know how to route", "Open MPI failed an OFI",
		"An ORTE daemon has unexpectedly failed", "A daemon (pid ", "WARNING: ",
		"There was at least one pair of", "mpirun was unable to cleanly terminate",
		"The call to cuMemHostRegister", "mpirun has exited due to process", "prterun has exited due to process",
	)
}

// isSummary reports whether a help text names the process that failed, but not why it failed.
func isSummary(text string) bool {
	return containsAny(text, "MPI_ABORT was invoked", "noticed that process rank",
		"processes exited with non-zero status", "has lost communication with")
}

// openMPI reads Open MPI's help texts between rulers, its "*** MPI_ERR_…" lines, and its report of a crash.
func openMPI(p *process) []finding {
	var found []finding
	mistake := sync.OnceValue(mistakePattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		switch {
		case isHelpRuler(text):
			if end := p.endOfHelpText(i); end > i+1 {
				if f := p.helpText(i, end); f.kind != none {
					found = append(found, f)
				}
				i = end
			}
		case strings.Contains(text, "MPI_ERR_"):
			if parts := mistake().FindStringSubmatch(text); parts != nil {
				f := p.newFinding(cause, i, i, parts[1])
				f.deadly = true
				found = append(found, f)
			}
		case strings.HasSuffix(text, "*** Process received signal ***"):
			var f finding
			f, i = p.signalDump(i)
			found = append(found, f)
		case isSummary(text):
			found = append(found, p.newFinding(summary, i, i, text))
		}
	}
	return found
}

// mistakePattern matches a line of Open MPI, or of a program, that names an error code of MPI.
func mistakePattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\[[\w.-]+:\d+\] \*\*\* |rank \d+: |.* )?(MPI_ERR_[A-Z_]+: \S.*)$`)
}

// endOfHelpText returns the number of the ruler that ends the help text, given the number of the ruler that
// begins it. It returns -1 if none follows; then there is no help text.
func (p *process) endOfHelpText(at int) int {
	for end := at + 1; end < min(at+80, len(p.lines)); end++ {
		if isHelpRuler(p.lines[end].text) {
			return end
		}
	}
	return -1
}

// helpText reads the help text between two rulers: its first paragraph as one line, and the values that
// follow.
func (p *process) helpText(start, end int) finding {
	values := regexp.MustCompile(`^\s*([A-Z][\w ()/-]{0,40}?) *:\s+(\S.*)$`)
	var words, more []string
	paragraphs, open := 0, false // open: the paragraph ended with a colon, so the next one belongs to it
	for i := start + 1; i < end; i++ {
		text := p.lines[i].text
		parts := values.FindStringSubmatch(text)
		switch {
		case text == "":
			open = !open && len(words) > 0 && strings.HasSuffix(words[len(words)-1], ":")
			if len(words) > 0 && !open {
				paragraphs++
			}
		case parts != nil && !strings.HasPrefix(strings.ToUpper(parts[1]), "NOTE") && len(words) > 0:
			more = append(more, parts[1]+": "+parts[2])
		case paragraphs == 0:
			words = append(words, text)
		}
	}
	text := strings.Join(words, " ")
	if len(more) > 0 {
		text += " " + strings.Join(more[:min(len(more), 6)], ", ")
	}
	f := p.newFinding(said, start, end, text)
	switch {
	case isSummary(f.text):
		f.kind = summary
	case strings.HasPrefix(f.text, "Primary job "):
		f.kind = none // it only repeats the exit code
	case isFollower(f.text):
		f.kind, f.follower = wrapper, true
	}
	return f
}

// signalDump reads the report that Open MPI prints in a process that crashes (opal/util/stacktrace.c). It
// also returns the number of the last line.
func (p *process) signalDump(start int) (finding, int) {
	var words []string
	i := start + 1
	for ; i < min(start+80, len(p.lines)); i++ {
		_, text, _ := strings.Cut(p.lines[i].text, "] ")
		if hasAnyPrefix(text, "Signal: ", "Signal code: ", "Failing at address: ") {
			words = append(words, text)
		}
		if strings.HasSuffix(text, "*** End of error message ***") {
			break
		}
	}
	f := p.newFinding(cause, start, i, strings.Join(words, ", "))
	f.deadly = true
	if f.text == "" {
		f.kind = wrapper
	}
	return f, i
}
