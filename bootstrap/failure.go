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
// last lines as there is room for.
func FailureText(err error, hints ...string) string {
	exit, ok := errors.AsType[*proc.ExitError](err)
	if !ok {
		return fit(strings.Join(append([]string{err.Error()}, hints...), "\n"))
	}
	lines := readableLines(exit.Stderr)
	head := strings.Join(append([]string{exit.Error()}, hints...), "\n")
	if line := telling(lines); line != "" {
		head = cut(line, maxFailure/2) + "\n" + head
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
	for _, find := range []func([]string) string{pythonError, cppError, panicError, abortError, anyError} {
		if line := strings.TrimSpace(find(lines)); line != "" {
			return line
		}
	}
	if len(lines) > 0 {
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return ""
}

// pythonError is the exception behind the last traceback: the first line that is not indented. A launcher's tag in
// front of "Traceback", such as "[rank0]: ", stands in front of every line.
func pythonError(lines []string) string {
	const head = "Traceback (most recent call last):"
	for i, last := range slices.Backward(lines) {
		tag, _, found := strings.Cut(last, head)
		if !found {
			continue
		}
		tag = strings.TrimSuffix(tag, "Exception Group ") // whose lines have a margin instead
		for _, line := range lines[i+1:] {
			line = strings.TrimPrefix(strings.TrimPrefix(line, tag), strings.Replace(tag, "+", "|", 1))
			if line != "" && !strings.HasPrefix(line, " ") {
				return line
			}
		}
	}
	return ""
}

// cppError is what an uncaught exception says: of libstdc++ its type and its what(), of libc++ one line.
func cppError(lines []string) string {
	for i, line := range slices.Backward(lines) {
		if _, message, ok := strings.Cut(line, "terminating due to uncaught exception of type "); ok {
			return message
		}
		_, what, ok := strings.Cut(line, "  what():  ")
		if !ok {
			continue
		}
		for _, earlier := range slices.Backward(lines[:i]) {
			if _, kind, ok := strings.Cut(earlier, "terminate called after throwing an instance of '"); ok {
				return strings.TrimSuffix(kind, "'") + ": " + what
			}
		}
		return what
	}
	return ""
}

// panicError is what a runtime, the C library or a sanitizer prints before it ends a program.
func panicError(lines []string) string {
	return lastMatch(lines, `^(panic: |fatal error: |thread '.*' panicked at |terminate called |.*: Assertion .* failed|`+
		`.*ERROR: (Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer: |\*\*\* .*detected \*\*\*|free\(\): |double free|corrupted |`+
		`malloc(_consolidate)?\(\): |munmap_chunk)`)
}

// abortError is what an MPI library or a launcher says of the rank that failed.
func abortError(lines []string) string {
	return lastMatch(lines, `MPI_ABORT was invoked|^Abort\(|application called MPI_Abort|noticed that process rank|BAD TERMINATION OF|srun: error: `)
}

func anyError(lines []string) string {
	return lastMatch(lines, `(?i)\b(error|fatal|exception|failed|cannot|no space left|out of memory|killed|aborted)\b|[a-z]Error\b`)
}

func lastMatch(lines []string, expression string) string {
	pattern := regexp.MustCompile(expression) // here, not once for all: only a failure pays for it
	for _, line := range slices.Backward(lines) {
		if pattern.MatchString(line) {
			return line
		}
	}
	return ""
}
