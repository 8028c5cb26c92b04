//go:build linux

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// pipe streams a Pipe-mode channel.
func (c *command) pipe(ctx *cli.Context) error {
	words := ctx.Args().Slice()
	if len(words) != 1 || words[0] == "" {
		return &bootstrap.UsageError{Err: fmt.Errorf("entrain pipe takes one argument CHANNEL, got %d", len(words))}
	}
	doer := c.newDoer()
	in, err := c.loadBy(doer)
	if err != nil {
		return err
	}
	stream, err := in.Stream(words[0], c.settings.options.Pipe)
	if err != nil {
		return err
	}
	return doer.Pipe(stream, c.settings.output)
}

func (c *command) pipeFlags() []cli.Flag {
	return c.jobFlags(append(c.streamFlags(),
		text("output", "PATH", "write to this file or FIFO instead of standard output", &c.settings.output))...)
}

// spec writes down what a job's algorithm takes, whatever an older specification says of that.
func (c *command) spec(*cli.Context) error {
	c.settings.spec = bootstrap.NoSpec
	in, err := c.load()
	if err != nil {
		return err
	}
	return c.print(in.Spec())
}

// specFlags are those of every verb that reads the contract, but for the specification that is to be written.
func (c *command) specFlags() []cli.Flag {
	return slices.DeleteFunc(c.jobFlags(), func(f cli.Flag) bool { return f.Names()[0] == "spec" })
}

func shownStream(s *bootstrap.Stream) shown {
	return shown{
		"channel": s.Channel, "prefix": s.Prefix, "first_epoch": s.First, "epochs": s.Epochs, "fifo_timeout": s.Timeout.String(),
		"decode": s.Decode, "encode": s.Encode, "form": s.Form,
	}
}

// streamFlags say how a channel is streamed.
func (c *command) streamFlags() []cli.Flag {
	p := &c.settings.options.Pipe
	return append([]cli.Flag{
		count("epochs", "stream this many epochs (default: all that come)", &p.Epochs),
		natural("first-epoch", "number of the first epoch", &p.First),
		duration("fifo-timeout", "how long to wait for each FIFO until its stream begins", &p.Timeout),
		oneOf("decode", "FORMAT", "decode the stream into records of --form", &p.Decode, bootstrap.Codecs()),
		oneOf("encode", "FORMAT", "encode records of --form into the stream", &p.Encode, bootstrap.Codecs()),
	}, needing([]string{"decode", "encode"},
		oneOf("form", "FORM", "how records are separated outside RecordIO", &p.Form, bootstrap.RecordForms()),
		choice("joint", "how split records are joined; dmlc writers (MXNet, XGBoost) need magic",
			"magic", "nothing", &p.Bare),
	)...)
}

// stdinFlags are those of a trainer that reads a channel.
func (c *command) stdinFlags() []cli.Flag {
	return append(needing([]string{"stdin-channel"}, c.streamFlags()...),
		text("stdin-channel", "CHANNEL", "stream this Pipe-mode channel to the trainer's standard input", &c.settings.options.Stdin))
}

// natural is a number from 0.
func natural(name, usage string, to *int) cli.Flag {
	return &option{name: name, arg: "N", usage: usage, deflt: strconv.Itoa(*to), set: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return errors.New("expected a whole number of at least 0")
		}
		*to = int(n)
		return nil
	}}
}
