//go:build linux

package cli

import (
	"errors"
	"path/filepath"

	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// recordsVerb decodes the RecordIO of files.
func (c *command) recordsVerb() *verb {
	r := &recording{command: c}
	return newVerb("records", "decode the RecordIO of a File or FastFile channel", "FILE…", r.decode, r.flags)
}

// recording is the verb records.
type recording struct {
	*command
	output string // path of a file or FIFO; empty for standard output
}

func (r *recording) flags() []cli.Flag {
	return append(append(r.settings.recordFlags(), r.settings.logFlags()...), outputFlag(&r.output))
}

func (r *recording) decode(ctx *cli.Context) error {
	files := ctx.Args().Slice()
	if len(files) == 0 {
		return &plan.UsageError{Err: errors.New("entrain records takes one FILE or more, got none")}
	}
	for i, file := range files {
		if file == "" {
			return &plan.UsageError{Err: errors.New("FILE must not be empty")}
		}
		files[i] = filepath.Clean(file)
	}
	return r.newDoer().Records(r.settings.options.Pipe.OfFiles(), files, r.output)
}
