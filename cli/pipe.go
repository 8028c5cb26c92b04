//go:build linux

package cli

import (
	"errors"

	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// pipeVerb streams a Pipe-mode channel.
func (c *command) pipeVerb() *verb {
	p := &piping{command: c}
	return newVerb("pipe", "stream a Pipe-mode channel, epoch after epoch", "CHANNEL", p.stream, p.flags)
}

// piping is the verb pipe.
type piping struct {
	*command
	output string // path of a file or FIFO; empty for standard output
	prefix string // path of FIFOs without their numbers
}

func (p *piping) flags() []cli.Flag {
	return p.settings.jobFlags(append(p.settings.streamFlags(),
		outputFlag(&p.output),
		text("output-prefix", "PREFIX", "make the FIFOs PREFIX_0, PREFIX_1, … for a reader of Pipe mode, one for "+
			"each epoch", &p.prefix))...)
}

// outputFlag says where a stream goes.
func outputFlag(to *string) cli.Flag {
	return text("output", "PATH", "write to this file or FIFO instead of standard output", to)
}

func (p *piping) stream(ctx *cli.Context) error {
	name, err := oneWord(ctx, "CHANNEL")
	if err != nil {
		return err
	}
	if p.output != "" && p.prefix != "" {
		return &plan.UsageError{Err: errors.New("--output and --output-prefix: expected one of them")}
	}
	doer := p.newDoer()
	in, err := p.loadBy(doer)
	if err != nil {
		return err
	}
	stream, err := in.Stream(name, p.settings.options.Pipe)
	if err != nil {
		return err
	}
	return doer.Pipe(stream, p.output, p.prefix)
}
