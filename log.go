package main

import (
	"encoding/json"
	"io"

	"github.com/rs/zerolog"
)

// logger writes to stderr: bare lines for people, or JSON for machines.
func (c *command) logger() zerolog.Logger {
	level, _ := zerolog.ParseLevel(c.settings.logLevel) // checked by its flag
	if c.settings.logFormat == "json" {
		return zerolog.New(c.stderr).Level(level).With().Timestamp().Str("program", "entrain").Logger()
	}
	return zerolog.New(textWriter{c.stderr}).Level(level)
}

// textWriter prints an event as "entrain: message", or "entrain: warning: message".
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
	if _, err := io.WriteString(t.w, prefix+fields.Message+"\n"); err != nil {
		return 0, err
	}
	return len(event), nil
}
