package main

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
	doer, err := bootstrap.NewDoer(c.logger(), version)
	if err != nil {
		return err
	}
	in, err := c.load()
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
		text("output", "PATH", "a file, or a FIFO that somebody else reads, instead of standard output", &c.settings.output))...)
}

// inspect reads the contract.
func (c *command) inspect() *bootstrap.Inspection {
	in := bootstrap.Inspect(c.settings.root, c.env, c.settings.spec, c.trainer...)
	c.mask = in.Mask
	return in
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
		count("epochs", "how many epochs are streamed (default: as many as come)", &p.Epochs),
		natural("first-epoch", "the epoch to begin with", &p.First),
		duration("fifo-timeout", "how long to wait for each FIFO, until its stream begins", &p.Timeout),
		oneOf("decode", "FORMAT", "turn it into records of --form", &p.Decode, bootstrap.Codecs()),
		oneOf("encode", "FORMAT", "make it of records of --form", &p.Encode, bootstrap.Codecs()),
	}, needing([]string{"decode", "encode"},
		oneOf("form", "FORM", "how records are told apart where they are no RecordIO", &p.Form, bootstrap.RecordForms()),
		choice("joint", "what to put between the parts of a record: magic as the format has it, nothing as some writers do", "magic", "nothing", &p.Bare),
	)...)
}

// stdinFlags are those of a trainer that reads a channel.
func (c *command) stdinFlags() []cli.Flag {
	return append(needing([]string{"stdin-channel"}, c.streamFlags()...),
		text("stdin-channel", "CHANNEL", "stream this Pipe-mode channel to the trainer's standard input", &c.settings.options.Stdin))
}

// serve writes a tree unless it is there, and plays the platform's side of its Pipe channels.
func (c *command) serve(dir string, t bootstrap.Tree) error {
	doer, err := bootstrap.NewDoer(c.logger(), version)
	if err != nil {
		return err
	}
	if err := bootstrap.PreparePlatform(dir, t, c.env); err != nil {
		return err
	}
	if err := c.print(fmt.Sprintf("making the FIFOs of %s until it is stopped\n", dir)); err != nil {
		return err
	}
	return doer.Serve(dir, t)
}

func (c *command) platformFlags() []cli.Flag {
	p := &c.settings.tree.Platform
	return append([]cli.Flag{
		&option{name: "pipe", arg: "CHANNEL=PATH", usage: "a Pipe channel whose FIFOs are made and filled, epoch after epoch: with the files of a directory, or as an augmented manifest says; repeat it for more", set: c.settings.tree.AddPipe},
	}, needing([]string{"pipe"},
		count("epochs", "how many epochs the Pipe channels have (default: as many as are read)", &p.Epochs),
		duration("late", "how late a FIFO may come", &p.Late),
		natural("seed", "of how late each one is", &p.Seed),
		oneOf("record-wrapper", "WRAPPER", "of the Pipe channels", &p.Wrapper, bootstrap.Wrappers()),
		text("attributes", "NAME,NAME", "what to take from an augmented manifest, in this order", &p.Attributes),
	)...)
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
