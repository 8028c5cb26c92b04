//go:build linux

package cli

import (
	"fmt"

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
}

func (p *piping) flags() []cli.Flag {
	return p.settings.jobFlags(append(p.settings.streamFlags(),
		text("output", "PATH", "write to this file or FIFO instead of standard output", &p.output))...)
}

func (p *piping) stream(ctx *cli.Context) error {
	words := ctx.Args().Slice()
	if len(words) != 1 || words[0] == "" {
		return &plan.UsageError{Err: fmt.Errorf("entrain pipe takes one argument CHANNEL, got %d", len(words))}
	}
	doer := p.newDoer()
	in, err := p.loadBy(doer)
	if err != nil {
		return err
	}
	stream, err := in.Stream(words[0], p.settings.options.Pipe)
	if err != nil {
		return err
	}
	return doer.Pipe(stream, p.output)
}
