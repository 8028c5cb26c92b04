package rendezvous

import "unicode/utf8"

// isPrintable reports whether a text has no control characters and is valid UTF-8. Such a text of another
// host cannot forge a line of the log.
func isPrintable(s string) bool {
	for _, r := range s {
		if isControl(r) {
			return false
		}
	}
	return true
}

// isControl reports whether r is an ASCII control character or stands for invalid UTF-8.
func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }

// oneLine makes a text printable, and cuts it to at most maxText bytes.
func oneLine(s string) string {
	clean := make([]rune, 0, len(s))
	for _, r := range s {
		if isControl(r) {
			r = ' '
		}
		clean = append(clean, r)
	}
	s = string(clean)
	if len(s) <= maxText {
		return s
	}
	end := maxText - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
