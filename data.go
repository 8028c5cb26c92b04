package main

import (
	"errors"
	"fmt"
	"strconv"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// pipe streams a Pipe-mode channel.
func (c *command) pipe(ctx *cli.Context) error {
	words := ctx.Args().Slice()
	if len(words) != 1 || words[0] == "" {
		return &bootstrap.UsageError{Err: fmt.Errorf("entrain pipe takes one argument CHANNEL, got %d (hint: flags go before CHANNEL)", len(words))}
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

// streamFlags say how a channel is streamed.
func (c *command) streamFlags() []cli.Flag {
	p := &c.settings.options.Pipe
	return []cli.Flag{
		count("epochs", "how many epochs are streamed (default: as many as come)", &p.Epochs),
		natural("first-epoch", "the epoch to begin with", &p.First),
		duration("fifo-timeout", "how long to wait for each FIFO, until its stream begins", &p.Timeout),
		oneOf("decode", "FORMAT", "turn it into records of --form", &p.Decode, bootstrap.Codecs()),
		oneOf("encode", "FORMAT", "make it of records of --form", &p.Encode, bootstrap.Codecs()),
		oneOf("form", "FORM", "how records are told apart where they are no RecordIO", &p.Form, bootstrap.RecordForms()),
		choice("joint", "what to put between the parts of a record: magic as the format has it, nothing as some writers do", "magic", "nothing", &p.Bare),
	}
}

// stdinFlags are those of a trainer that reads a channel.
func (c *command) stdinFlags() []cli.Flag {
	return append(c.streamFlags(),
		text("stdin-channel", "CHANNEL", "stream this Pipe-mode channel to the trainer's standard input", &c.settings.options.Stdin))
}

// natural is a number from 0.
func natural(name, usage string, to *int) cli.Flag {
	return &option{name: name, arg: "N", usage: usage, deflt: strconv.Itoa(*to), set: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return errors.New("want a whole number of at least 0")
		}
		*to = int(n)
		return nil
	}}
}
