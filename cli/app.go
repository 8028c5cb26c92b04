//go:build linux

// Package cli is the command line: the verbs, their flags, the help, and the log. It knows bootstrap alone, which does
// the work.
package cli

import (
	"errors"
	"io"
	"slices"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// Main is the whole program: arguments, environment and standard streams in, exit code out.
func Main(args, env []string, stdout, stderr io.Writer) int {
	if code, called := byLauncher(args, env, stderr); called {
		return code
	}
	if len(args) > 1 && args[1] == completeVerb {
		complete(args[2:], stdout)
		return 0
	}
	if err := bootstrap.Relay(args, env); err != nil {
		return bootstrap.ExitCode(err) // whoever started the relay reports it
	}
	c := newCommand(args, env, stdout, stderr)
	if slices.Contains([]string{"run", "train", "exec"}, c.args[1]) {
		c.signals = bootstrap.Catch() // before anything that takes time
	}
	err := c.app().Run(c.args)
	if err == nil && c.stdout.err != nil {
		err = &bootstrap.OutputError{What: "standard output", Err: c.stdout.err}
	}
	if c.trains && !c.looks {
		err = bootstrap.Report(c.settings.root, c.mask, err)
	}
	c.report(err)
	return bootstrap.ExitCode(err)
}

// Stderr is standard error, for the log.
func Stderr() io.Writer { return bootstrap.Stderr() }

// command is one call of entrain.
type command struct {
	args     []string // ours, before the first --
	trainer  []string // the trainer's, behind it; nil without a --
	env      []string
	stdout   output
	stderr   io.Writer
	settings settings
	signals  *bootstrap.Signals       // nil until they are caught
	mask     func(text string) string // hides the secrets that are known so far
	host     string                   // this one's name, once the contract is read
	trains   bool                     // the verb is one whose failure the platform is told
	looks    bool                     // it asks for help, or for a dry run: nothing is done and nobody is told
}

// output keeps the first error of what the help texts, too, are written to.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

func newCommand(args, env []string, stdout, stderr io.Writer) *command {
	c := &command{args: args, env: env, stdout: output{Writer: stdout}, stderr: stderr, settings: defaults(env)}
	if i := slices.Index(args, "--"); i >= 0 {
		c.args, c.trainer = args[:i:i], args[i+1:]
	}
	c.mask = bootstrap.MaskEnv(env, c.trainer)
	c.looks = wantsDryRun(c.args, env)
	switch {
	case len(c.args) < 2:
		c.args = append(slices.Clip(c.args), "run") // what a container without arguments does
	case slices.Contains([]string{"-v", "-version", "--version"}, c.args[1]):
		c.args = slices.Concat(c.args[:1], []string{"version"}, c.args[2:])
	case c.args[1] == "help":
		c.args = slices.Concat(c.args[:1], c.args[2:min(3, len(c.args))], []string{"--help"})
		c.looks = true
	}
	return c
}

// newDoer makes what acts. It listens to the signals, which are its own from then on.
func (c *command) newDoer() *bootstrap.Doer {
	if c.signals == nil {
		c.signals = bootstrap.Catch()
	}
	return bootstrap.NewDoer(c.signals, c.logger(), version)
}

func (c *command) app() *cli.App {
	cli.HelpFlag = newHelp()
	return &cli.App{
		Name:                  "entrain",
		Usage:                 "the entry point of a training container",
		CustomAppHelpTemplate: helpTemplate,
		Commands:              c.verbs(),
		Action:                c.unknownVerb,
		OnUsageError:          c.usageError,
		ExitErrHandler:        func(*cli.Context, error) {}, // Main returns the exit code
		HideHelpCommand:       true,
		Writer:                &c.stdout,
		ErrWriter:             c.stderr,
	}
}

// report prints an error once, an event for each problem.
func (c *command) report(err error) {
	if _, shown := errors.AsType[printedError](err); err == nil || shown {
		return
	}
	if c.wantsJSON() { // the error may have come before the flag was read
		c.settings.logFormat = "json"
	}
	log := c.logger()
	for _, problem := range splitProblems(err.Error()) {
		log.Error().Str("event", "error").Int("code", bootstrap.ExitCode(err)).Msg(problem)
	}
}
