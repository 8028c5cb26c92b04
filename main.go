// Command entrain is the ENTRYPOINT of a training container: it checks the contract under /opt/ml, waits for
// the peers, turns hyperparameters into flags and variables, and runs the trainer as its init.
package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

func main() { os.Exit(run(os.Args, os.Environ(), os.Stdout, os.Stderr)) }

// run is the whole program: arguments and environment in, exit code out.
func run(args, env []string, stdout, stderr io.Writer) int {
	c := newCommand(args, env, stdout, stderr)
	err := bootstrap.Relay(args, env)
	if err == nil {
		err = c.app().Run(c.args)
	}
	c.report(err)
	return bootstrap.ExitCode(err)
}

// command is one call of entrain.
type command struct {
	args           []string // ours, before the first --
	trainer        []string // the trainer's, behind it
	env            []string
	stdout, stderr io.Writer
	settings       settings
}

func newCommand(args, env []string, stdout, stderr io.Writer) *command {
	c := &command{args: args, env: env, stdout: stdout, stderr: stderr, settings: defaults()}
	if i := slices.Index(args, "--"); i >= 0 {
		c.args, c.trainer = args[:i:i], args[i+1:]
	}
	if len(c.args) < 2 {
		c.args = append(slices.Clip(c.args), "run") // what a container without arguments does
	}
	return c
}

func (c *command) app() *cli.App {
	return &cli.App{
		Name:                  "entrain",
		Usage:                 "the entry point of a training container",
		CustomAppHelpTemplate: helpTemplate,
		Commands:              c.verbs(),
		Action:                unknownVerb,
		OnUsageError:          usageError,
		ExitErrHandler:        func(*cli.Context, error) {}, // the exit is main's
		EnableBashCompletion:  true,
		HideHelpCommand:       true,
		Writer:                c.stdout,
		ErrWriter:             c.stderr,
	}
}

// report prints an error once, a line for each problem.
func (c *command) report(err error) {
	if _, shown := errors.AsType[printedError](err); err == nil || shown {
		return
	}
	log := c.logger()
	for line := range strings.SplitSeq(err.Error(), "\n") {
		log.Error().Msg(line)
	}
}

// usageError is what the command line's own mistakes become.
func usageError(_ *cli.Context, err error, _ bool) error {
	return &bootstrap.UsageError{Err: errors.New(strings.ReplaceAll(err.Error(), " flag -", " flag --"))}
}
