package rendezvous

import (
	"strings"
	"unicode/utf8"
)

// isPrintable reports whether a text is one line of printable characters. Such a text of another host cannot
// forge a line of the log.
func (c *Config) isPrintable(s string) bool { return c.Printable(s) == s }

// oneLine makes a text printable, and cuts it to at most maxText bytes.
func (c *Config) oneLine(s string) string {
	s = c.Printable(strings.ToValidUTF8(s, "\ufffd"))
	if len(s) <= maxText {
		return s
	}
	end := maxText - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
