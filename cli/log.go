//go:build linux

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"

	"github.com/rs/zerolog"
)

// logbook writes the log of a command to standard error.
type logbook struct {
	stderr   io.Writer
	settings *settings                // its level and format count
	host     string                   // this host's name; empty until the contract is read
	mask     func(text string) string // hides the secrets that are known so far
}

// logger writes plain lines for people, or JSON for programs.
func (l *logbook) logger() zerolog.Logger {
	level, _ := zerolog.ParseLevel(l.settings.logLevel) // the flag has checked it
	out := maskWriter{l}
	if l.settings.logFormat == "json" {
		with := zerolog.New(jsonWriter{out}).Level(level).With().Timestamp().Str("program", "entrain")
		if l.host != "" {
			with = with.Str("host", l.host)
		}
		return with.Logger()
	}
	return zerolog.New(textWriter{out}).Level(level)
}

// learn takes the host's name and the secrets from a contract.
func (l *logbook) learn(in *bootstrap.Inspection) { l.host, l.mask = in.Host(), in.Mask }

// warnings logs the problems that are no errors for the called verb.
func (l *logbook) warnings(problems []bootstrap.Problem) {
	for _, p := range problems {
		if p.Warning {
			log := l.logger()
			log.Warn().Str("event", "problem").Str("file", p.File).Msg(p.String())
		}
	}
}

// warn logs messages as warnings.
func (l *logbook) warn(messages []string) {
	log := l.logger()
	for _, message := range messages {
		log.Warn().Msg(message)
	}
}

// slow logs that the machine does not answer.
func (l *logbook) slow(path string, elapsed time.Duration) {
	log := l.logger()
	log.Warn().Msgf("looking at %s has taken %s: its file system does not answer", path, elapsed)
}

// report logs an error: one event for each problem in it. It does not log an error that the user has seen.
func (l *logbook) report(err error) {
	if _, printed := errors.AsType[printedError](err); err == nil || printed {
		return
	}
	log := l.logger()
	for _, problem := range splitProblems(err.Error()) {
		log.Error().Str("event", "error").Int("code", bootstrap.ExitCode(err)).Msg(problem)
	}
}

// wantsJSONLog looks for the log's format in words that may not have been parsed: a mistake in the flags is
// an event of the log too.
func wantsJSONLog(called *verb, args, env []string) bool {
	const name = "log-format"
	if called != nil && find(called.options(), name) == nil {
		return false
	}
	format, _ := plan.Getenv(env, "ENTRAIN_LOG_FORMAT")
	for i, arg := range args {
		flag, value, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case flag != name || !strings.HasPrefix(arg, "-"):
		case assigned:
			format = value
		case i+1 < len(args):
			format = args[i+1]
		}
	}
	return format == "json"
}

// printedError is an error that the verb has printed to standard output.
type printedError struct{ error }

func (p printedError) Unwrap() error { return p.error }

// maskWriter hides secrets, including those that become known after the logger was made.
type maskWriter struct{ l *logbook }

func (m maskWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(m.l.stderr, m.l.mask(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// textWriter prints an event as "entrain: message", or "entrain: warning: message". A hint has a line of its
// own.
type textWriter struct{ w io.Writer }

func (t textWriter) Write(event []byte) (int, error) { return t.WriteLevel(zerolog.NoLevel, event) }

// WriteLevel implements zerolog.LevelWriter.
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
	if _, err := io.WriteString(t.w, logLines(prefix, bootstrap.Printable(fields.Message))); err != nil {
		return 0, err
	}
	return len(event), nil
}

// jsonWriter writes an event whose texts are printable: a program may show them on a terminal.
type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(event []byte) (int, error) {
	if _, err := j.w.Write(printableJSON(event)); err != nil {
		return 0, err
	}
	return len(event), nil
}

// printableJSON makes every string in a JSON text printable. It keeps the order of the fields.
func printableJSON(event []byte) []byte {
	var b bytes.Buffer
	for {
		before, rest, found := bytes.Cut(event, []byte{'"'})
		b.Write(before)
		if !found {
			return b.Bytes()
		}
		end := 0
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		literal := slices.Concat([]byte{'"'}, rest[:min(end, len(rest))], []byte{'"'})
		var text string
		if json.Unmarshal(literal, &text) == nil && bootstrap.Printable(text) != text {
			literal, _ = json.Marshal(bootstrap.Printable(text)) // never fails for a string
		}
		b.Write(literal)
		event = rest[min(end+1, len(rest)):]
	}
}

// logLines puts the prefix before each line of a message. A hint is advice, not one more error or warning.
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

// hintPrefix begins a line that says what to do about the line before it. The program age writes hints the
// same way.
const hintPrefix = "hint: "

// withHint adds a hint to a message, unless the hint is empty.
func withHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "\n" + hintPrefix + hint
}

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
