//go:build linux

package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"entrain/bootstrap"
)

// output is standard output. It keeps the first error of a write, since urfave/cli drops those of help
// texts.
type output struct {
	io.Writer
	first error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.first == nil {
		o.first = err
	}
	return n, err
}

// error is nil, or a *bootstrap.OutputError with the first error of a write.
func (o *output) error() error {
	if o.first == nil {
		return nil
	}
	return &bootstrap.OutputError{What: "standard output", Err: o.first}
}

// writeText writes a text.
func (o *output) writeText(text string) error {
	if _, err := fmt.Fprint(o, text); err != nil {
		return &bootstrap.OutputError{What: "standard output", Err: err}
	}
	return nil
}

// writeJSON writes a value as JSON, indented.
func (o *output) writeJSON(v any) error {
	out := json.NewEncoder(o)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return &bootstrap.OutputError{What: "standard output", Err: err}
	}
	return nil
}

// jsonObject is an object of a document that other programs read.
type jsonObject = map[string]any
