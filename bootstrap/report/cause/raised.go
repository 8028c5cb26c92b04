package cause

import "strings"

// Raised returns the exception with which a Python program that still runs has ended its work, such as
// "ValueError: no data". It is that of a traceback at the end of the output. It returns "" if the program has
// written anything else after it, so that it seems to go on.
func Raised(output []byte) string {
	const mostLines = 5 // of an exception's text
	lines := readable(output)
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	first := len(lines) - 1
	for first >= 0 && !strings.Contains(lines[first], traceback) {
		first--
	}
	if first < 0 || first > 0 && strings.Contains(lines[first-1], "Exception ignored ") {
		return ""
	}
	for i, line := range lines[first+1:] {
		switch {
		case line == "" || isIndented(line):
		case isException(line) && len(lines)-(first+1+i) <= mostLines:
			return line
		default:
			return ""
		}
	}
	return ""
}
