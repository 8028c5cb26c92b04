//go:build linux

package cli

import (
	"encoding/json"
	"io"
	"strings"

	"entrain/bootstrap"

	"github.com/rs/zerolog"
)

// logger writes to stderr: bare lines for people, or JSON for machines.
func (c *command) logger() zerolog.Logger {
	level, _ := zerolog.ParseLevel(c.settings.logLevel) // checked by its flag
	out := maskWriter{c}
	if c.settings.logFormat == "json" {
		with := zerolog.New(out).Level(level).With().Timestamp().Str("program", "entrain")
		if c.host != "" {
			with = with.Str("host", c.host)
		}
		return with.Logger()
	}
	return zerolog.New(textWriter{out}).Level(level)
}

// wantsJSON says whether the verb's log is asked for as JSON, before flags are read: a mistake in them is a
// line of the log too.
func (c *command) wantsJSON() bool {
	const name = "log-format"
	if v := c.verb(c.args[1]); v != nil && find(v.options(), name) == nil {
		return false
	}
	format, _ := bootstrap.Getenv(c.env, "ENTRAIN_LOG_FORMAT")
	for i, arg := range c.args {
		flag, value, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case flag != name || !strings.HasPrefix(arg, "-"):
		case assigned:
			format = value
		case i+1 < len(c.args):
			format = c.args[i+1]
		}
	}
	return format == "json"
}

// maskWriter hides secrets, those too that become known after the logger was made.
type maskWriter struct{ c *command }

func (m maskWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(m.c.stderr, m.c.mask(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// textWriter prints an event as "entrain: message", or "entrain: warning: message". A hint has a line of its own.
type textWriter struct{ w io.Writer }

func (t textWriter) Write(event []byte) (int, error) { return t.WriteLevel(zerolog.NoLevel, event) }

func (t textWriter) WriteLevel(level zerolog.Level, event []byte) (int, error) {
	var fields struct{ Message string }
	if err := json.Unmarshal(event, &fields); err != nil {
		return 0, err
	}
	prefix := "entrain: "
	switch level {
	case zerolog.WarnLevel:
		prefix += "warning: "
	case zerolog.ErrorLevel:
		prefix += "error: "
	default:
	}
	if _, err := io.WriteString(t.w, logLines(prefix, fields.Message)); err != nil {
		return 0, err
	}
	return len(event), nil
}

// logLines puts the prefix in front of each line of a message. A hint is advice, not another error or warning.
func logLines(prefix, message string) string {
	var text strings.Builder
	for line := range strings.SplitSeq(message, "\n") {
		if strings.HasPrefix(line, hintPrefix) {
			text.WriteString("entrain: " + line + "\n")
		} else {
			text.WriteString(prefix + line + "\n")
		}
	}
	return text.String()
}

// hintPrefix begins a line that says what to do about the line before it. age writes hints the same way.
const hintPrefix = "hint: "

// splitProblems splits an error's text into its problems. A problem is one line and the hints that follow it.
func splitProblems(text string) []string {
	var problems []string
	for line := range strings.SplitSeq(text, "\n") {
		if n := len(problems); n > 0 && strings.HasPrefix(line, hintPrefix) {
			problems[n-1] += "\n" + line
			continue
		}
		problems = append(problems, line)
	}
	return problems
}
