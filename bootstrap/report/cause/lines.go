package cause

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// readable returns the lines of an output as a terminal shows them, in valid UTF-8: without colours and
// NUL, and only the last state of a progress bar. A blank line stays, because it ends a paragraph. Of
// several blank lines one stays.
func readable(output []byte) []string {
	var lines []string
	for raw := range bytes.Lines(output) {
		raw = bytes.TrimRight(raw, "\r\n \t")
		raw = raw[bytes.LastIndexByte(raw, '\r')+1:]
		text := withoutMeter(strings.TrimRight(Printable(string(raw)), " \t"))
		if text != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// withoutMeter removes curl's progress meter, which stands in front of curl's error in the same line.
func withoutMeter(text string) string {
	if i := strings.Index(text, "curl: ("); i > 0 && strings.Contains(text[:i], "-:--") {
		return text[i:]
	}
	return text
}

// cutMiddle shortens a line to the number of characters in most. It cuts out the middle, because the
// important words stand at the start or at the end.
func cutMiddle(line string, most int) string {
	if utf8.RuneCountInString(line) <= most {
		return line
	}
	runes := []rune(line)
	last := (most - 1) / 3
	return string(runes[:most-1-last]) + "…" + string(runes[len(runes)-last:])
}

// isIndented reports whether a line begins with white space, which makes it a part of an earlier line.
func isIndented(line string) bool {
	return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
}

// isRuler reports whether a line consists only of characters such as "-" and "=" that separate other lines.
func isRuler(line string) bool { return line != "" && strings.Trim(line, "-=*_#~+ \t") == "" }

// isNoise reports whether a line can never be a cause: a ruler, a frame of a stack, a mark below a source
// line, a note, or a message of an innocent process about the network.
func isNoise(line string) bool {
	trimmed := strings.TrimLeft(line, " \t│|>")
	if isRuler(trimmed) || strings.Trim(trimmed, "^~─╭╮╰╯│┃━ ") == "" {
		return true
	}
	if hasAnyPrefix(trimmed,
		"note: ", "File \"", "at ", "... ", "[bt]", "#0 ", "frame #", "stack backtrace:", "Stack trace:",
		"Stacktrace:", "stack traceback:", "Traceback (most recent", "goroutine ", "Execution halted",
		"CallStack (from ", "error, called at ", "exit status ", "(Use `node ", "Node.js v",
		"usage: ", "Usage: ", "Try '", "Try `", "For more information, try",
		"During handling of the above", "The above exception was", "Call stack:", "*** End of error message",
	) {
		return true
	}
	if isEchoOfOpenMPI(trimmed) {
		return true
	}
	return isFrame(trimmed) || isPeer(line) || strings.HasSuffix(line, ".py FAILED") // torchrun's title
}

// isEchoOfOpenMPI reports whether a line says only that a part of Open MPI has failed. A help text says why.
func isEchoOfOpenMPI(line string) bool {
	return strings.HasPrefix(line, "[") &&
		containsAny(line, "] ORTE_ERROR_LOG: Error in file ", "] Local abort before MPI_INIT completed") ||
		hasAnyPrefix(line, "*** An error occurred in MPI_Init", "*** on a NULL communicator",
			"*** MPI_ERRORS_ARE_FATAL (", "***    and ")
}

// mayTellOfFailure is a quick test. It returns false for most lines that no pattern of this package can
// match. A line that begins with a capital E or F may be a line of glog.
func mayTellOfFailure(text string) bool {
	if text == "" || text[0] == 'E' || text[0] == 'F' || text[0] == '[' {
		return text != ""
	}
	text = strings.ToLower(text)
	return containsAny(text,
		"err", "fatal", "fail", "excep", "critical", "severe", "panic", "not", "can", "could", "unable", "no ",
		"oom", "memory", "overflowed", "kill", "abort", "entrain", "ssh", "host key", "denied", "empty",
		"missing", "invalid", ": e ", ": f ", "terminat", "detected", "(): ", "free", "corrupt", "munmap",
		"assert", "signal", "sanitizer", "at line", "forrtl", "segment", "bus ", "illegal", "floating", "option",
		"defined", "version", "returned status", "unhandled", "unbound", "parameter", "syntax", "interpreter",
		"command", " line ", ":in ", "uncaught", "lua", "*** ", "sig",
	)
}

// isMarked reports whether the line next marks a place in the source line above it, with "^".
func isMarked(next string) bool {
	return next != "" && strings.Trim(next, "^~ |") == "" && strings.Contains(next, "^")
}

// isFrame reports whether a line is a frame of a stack that begins with a number: "#1 0x…" of sanitizers
// and gdb, "[ 1] /lib/…" of Open MPI, "3: core::panicking" of Rust.
func isFrame(trimmed string) bool {
	rest := strings.TrimLeft(trimmed, "#[ 0123456789")
	number := trimmed[:len(trimmed)-len(rest)]
	switch {
	case !strings.ContainsAny(number, "0123456789"):
		return false
	case strings.HasPrefix(number, "#"):
		return true
	case strings.HasPrefix(number, "["):
		return hasAnyPrefix(rest, "] /", "] [0x", "] 0x")
	}
	return strings.HasPrefix(rest, ": ") && strings.Contains(rest, "::") && !strings.Contains(rest[2:], " ")
}

// containsAny reports whether a text contains any of some words.
func containsAny(text string, some ...string) bool {
	return slices.ContainsFunc(some, func(words string) bool { return strings.Contains(text, words) })
}

// hasAnyPrefix reports whether a text begins with any of some words.
func hasAnyPrefix(text string, some ...string) bool {
	return slices.ContainsFunc(some, func(words string) bool { return strings.HasPrefix(text, words) })
}

// joinWords joins the words of a text with single spaces, so that it fits on one line.
func joinWords(text string) string { return strings.Join(strings.Fields(text), " ") }
