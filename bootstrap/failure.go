package bootstrap

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"entrain/proc"
)

// maxFailure is how much of the failure file the platform shows, in characters.
const maxFailure = 1024

// FailureText is what the platform shows of a failure: valid UTF-8, at most 1,024 characters, the most telling line
// first. Of a trainer that failed this is its own last word; then come how it ended, the hints, and as many of its
// last lines as there is room for. What mask hides is hidden before anything is cut.
func FailureText(err error, mask func(string) string, hints ...string) string {
	launch, launched := errors.AsType[*LaunchError](err)
	exit, ok := errors.AsType[*proc.ExitError](err)
	if launched {
		exit, ok = launch.Exit, true
	}
	if !ok {
		return fit(strings.Join(append([]string{mask(err.Error())}, hints...), "\n"))
	}
	lines := readableLines([]byte(mask(string(exit.Stderr))))
	head := strings.Join(append([]string{mask(exit.Error())}, hints...), "\n")
	if launched {
		head = mask(launch.Error()) + "\n" + head
	} else if line := telling(lines); line != "" {
		head = squeeze(line, maxFailure/2) + "\n" + head
	}
	head = fit(head)
	room := maxFailure - utf8.RuneCountInString(head)
	var last []string
	for i := len(lines) - 1; i >= 0 && room > utf8.RuneCountInString(lines[i]); i-- {
		room -= utf8.RuneCountInString(lines[i]) + 1
		last = append([]string{lines[i]}, last...)
	}
	return strings.Join(append([]string{head}, last...), "\n")
}

// fit makes a text that the platform shows whole.
func fit(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd"))
	return cut(text, maxFailure)
}

func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// squeeze takes out of a line's middle what is too much: what matters is at its start or at its end.
func squeeze(line string, most int) string {
	runes := []rune(line)
	if len(runes) <= most {
		return line
	}
	last := (most - 1) / 3
	return string(runes[:most-1-last]) + "…" + string(runes[len(runes)-last:])
}

// readableLines are the lines of a terminal's output as one would see them: no colours, of a progress bar only its
// last state, no blank lines, valid UTF-8.
func readableLines(output []byte) []string {
	var lines []string
	for line := range bytes.Lines(output) {
		line = bytes.TrimRight(line, "\r\n \t")
		line = line[bytes.LastIndexByte(line, '\r')+1:]
		text := strings.ToValidUTF8(string(withoutEscapes(line)), "\ufffd")
		if text = strings.ReplaceAll(text, "\x00", ""); strings.TrimSpace(text) != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// withoutEscapes takes out ANSI control sequences (ECMA-48: ESC [ … letter).
func withoutEscapes(line []byte) []byte {
	for {
		i := bytes.Index(line, []byte("\x1b["))
		if i < 0 {
			return line
		}
		end := i + 2
		for end < len(line) && line[end] < '@' {
			end++
		}
		line = append(line[:i:i], line[min(end+1, len(line)):]...)
	}
}

// telling is the line that says most about a failure: what ended the program in its own words, else what a library
// or a launcher said, else the last line. Of several of a kind the last counts, since it is what came out.
func telling(lines []string) string {
	if others := withoutLogging(lines); len(others) > 0 {
		lines = others
	}
	last := -1
	own := ""
	for _, find := range []func([]string) (string, int){pythonError, cppError, panicError} {
		if line, at := find(lines); at > last && strings.TrimSpace(line) != "" {
			own, last = strings.TrimSpace(line), at
		}
	}
	if own != "" {
		return own
	}
	for _, find := range []func([]string) (string, int){abortError, anyError} {
		if line, _ := find(lines); line != "" {
			return strings.TrimSpace(line)
		}
	}
	for _, line := range slices.Backward(lines) {
		if strings.Trim(line, "-=*_# \t") != "" { // a ruler says nothing
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// withoutLogging takes out what Python's logging says of a message that it could not format, tracebacks and all: the
// program goes on after it. It ends with the message's arguments; a launcher's tag is in front of every line.
func withoutLogging(lines []string) []string {
	var others []string
	for len(lines) > 0 {
		end := -1
		tag, _, found := strings.Cut(lines[0], "--- Logging error ---")
		if found {
			end = slices.IndexFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, tag+"Arguments: ") || strings.HasPrefix(line, tag+"Unable to print the message and arguments")
			})
		}
		if end < 0 {
			others, lines = append(others, lines[0]), lines[1:]
			continue
		}
		for _, line := range lines[:end+1] {
			if !strings.HasPrefix(line, tag) { // another process's, in between
				others = append(others, line)
			}
		}
		lines = lines[end+1:]
	}
	return others
}

// pythonError is the exception behind the last traceback: the first line that is not indented. A launcher's tag in
// front of "Traceback", such as "[rank0]: ", stands in front of every line. A traceback that Python prints and ignores
// is none, and torchrun's own says only that a worker has one.
func pythonError(lines []string) (string, int) {
	const head = "Traceback (most recent call last):"
	launcher, at := "", -1
	for i, last := range slices.Backward(lines) {
		tag, _, found := strings.Cut(last, head)
		if !found || i > 0 && strings.Contains(lines[i-1], "Exception ignored in") {
			continue
		}
		tag = strings.TrimSuffix(tag, "Exception Group ") // whose lines have a margin instead
		for _, line := range lines[i+1:] {
			line = strings.TrimPrefix(strings.TrimPrefix(line, tag), strings.Replace(tag, "+", "|", 1))
			if line == "" || strings.HasPrefix(line, " ") {
				continue
			}
			if !strings.Contains(line, "ChildFailedError") {
				return line, i
			}
			launcher, at = line, i
			break
		}
	}
	return launcher, at
}

// cppError is what an uncaught exception says: of libstdc++ its type and its what(), of libc++ one line.
func cppError(lines []string) (string, int) {
	for i, line := range slices.Backward(lines) {
		if _, message, ok := strings.Cut(line, "terminating due to uncaught exception of type "); ok {
			return message, i
		}
		_, what, ok := strings.Cut(line, "  what():  ")
		if !ok {
			continue
		}
		for _, earlier := range slices.Backward(lines[:i]) {
			if _, kind, ok := strings.Cut(earlier, "terminate called after throwing an instance of '"); ok {
				return strings.TrimSuffix(kind, "'") + ": " + what, i
			}
		}
		return what, i
	}
	return "", -1
}

// panicError is what a runtime, the C library or a sanitizer prints before it ends a program.
func panicError(lines []string) (string, int) {
	return lastMatch(lines, `^(panic: |fatal error: |thread '.*' panicked at |terminate called |.*: Assertion .* failed|`+
		`.*ERROR: (Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer: |\*\*\* .*detected \*\*\*|free\(\): |double free|corrupted |`+
		`malloc(_consolidate)?\(\): |munmap_chunk)`)
}

// abortError is what an MPI library or a launcher says of the rank that failed.
func abortError(lines []string) (string, int) {
	return lastMatch(lines, `MPI_ABORT was invoked|^Abort\(|application called MPI_Abort|noticed that process rank|BAD TERMINATION OF|not enough slots|srun: error: `)
}

// anyError is a line that looks like an error's, and does not say that there was none.
func anyError(lines []string) (string, int) {
	none := regexp.MustCompile(`(?i)\b(info|debug)\b|\b(no|0|without) (\w+ )?(errors?|failures?|failed)\b`)
	lines = slices.DeleteFunc(slices.Clone(lines), none.MatchString)
	return lastMatch(lines, `(?i)\b(error|fatal|exception|failed|cannot|no space left|out of memory|killed|aborted)\b|[a-z]Error\b`)
}

func lastMatch(lines []string, expression string) (string, int) {
	pattern := regexp.MustCompile(expression) // here, not once for all: only a failure pays for it
	for i, line := range slices.Backward(lines) {
		if pattern.MatchString(line) {
			return line, i
		}
	}
	return "", -1
}
