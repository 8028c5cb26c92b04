//go:build linux

// Package cli is the command line: the verbs, their flags, the help and the log. bootstrap does
// the work; plan and scaffold have the values that the flags set.
package cli

import (
	"errors"
	"io"
	"slices"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// Main runs the program. It takes the arguments with the program's name first, the environment as KEY=VALUE
// words, and the standard streams. It returns the exit code, one of bootstrap.ExitCodes.
func Main(args, env []string, stdout, stderr io.Writer) int {
	if code, called := calledByLauncher(args, env, stderr); called {
		return code
	}
	if len(args) > 1 && args[1] == completeWord {
		complete(args[2:], stdout)
		return 0
	}
	if err := bootstrap.Relay(args, env); err != nil {
		return bootstrap.ExitCode(err) // the process that started the relay reports the error
	}
	c := newCommand(args, env, stdout, stderr)
	if c.called != nil && c.called.trains {
		c.signals = bootstrap.Catch() // before anything that takes time
	}
	app := c.app() // which also puts c.args in order
	err := app.Run(c.args)
	if err == nil {
		err = c.stdout.error()
	}
	if c.reportsFailure() {
		err = bootstrap.Report(c.settings.root, c.log.mask, err)
	}
	if err != nil && wantsJSONLog(c.called, c.args, c.env) { // the flags may not have been read
		c.settings.logFormat = "json"
	}
	c.log.report(err)
	return bootstrap.ExitCode(err)
}

// Stderr is standard error, for the log.
func Stderr() io.Writer { return bootstrap.Stderr() }

// command is one call of entrain.
type command struct {
	args      []string // entrain's own words, before the first --; args[1] is the verb
	trainer   []string // the trainer's words, after the first --; nil without a --
	env       []string
	stdout    output
	log       logbook
	settings  settings
	verbs     table
	called    *verb              // nil if args[1] is no verb
	signals   *bootstrap.Signals // nil until they are caught
	onlyShows bool               // the user asks for help or for a dry run: nothing is done and nobody is told
}

func newCommand(args, env []string, stdout, stderr io.Writer) *command {
	c := &command{args: args, env: env, stdout: output{Writer: stdout}, settings: defaults(env)}
	if i := slices.Index(args, "--"); i >= 0 {
		c.args, c.trainer = args[:i:i], args[i+1:]
	}
	c.log = logbook{stderr: stderr, settings: &c.settings, mask: plan.MaskEnv(env, c.trainer)}
	c.onlyShows = wantsDryRun(c.args, env)
	switch {
	case len(c.args) < 2:
		c.args = append(slices.Clip(c.args), "run") // a container without arguments trains
	case slices.Contains([]string{"-v", "-version", "--version"}, c.args[1]):
		c.args = slices.Concat(c.args[:1], []string{"version"}, c.args[2:])
	case c.args[1] == "help":
		c.args = slices.Concat(c.args[:1], c.args[2:min(3, len(c.args))], []string{"--help"})
		c.onlyShows = true
	}
	c.verbs = c.allVerbs()
	c.called = c.verbs.named(c.args[1])
	return c
}

// allVerbs are the verbs in the order of the help.
func (c *command) allVerbs() table {
	return table{
		// These read the contract.
		c.runVerb(), c.execVerb(), c.validateVerb(), c.planVerb(), c.waitVerb(), c.hostfileVerb(), c.pipeVerb(),
		c.recordsVerb(),
		c.specVerb(),
		c.scaffoldVerb(), installVerb(), keygenVerb(), c.versionVerb(), c.completionVerb(),
		// Launchers call these.
		c.rankVerb(), c.rshVerb(),
	}
}

func (c *command) app() *cli.App {
	cli.HelpFlag = newHelp()
	return &cli.App{
		Name:                  "entrain",
		Usage:                 "the entry point of a training container",
		CustomAppHelpTemplate: helpTemplate,
		Commands:              c.prepared(),
		Action:                c.unknownVerb,
		OnUsageError:          c.usageError,
		ExitErrHandler:        func(*cli.Context, error) {}, // Main returns the exit code
		HideHelpCommand:       true,
		Writer:                &c.stdout,
		ErrWriter:             c.log.stderr,
	}
}

// prepared are all verbs for urfave/cli. Only the called verb gets its flags: to make them all takes time.
func (c *command) prepared() []*cli.Command {
	commands := make([]*cli.Command, len(c.verbs))
	for i, v := range c.verbs {
		if v == c.called {
			v.Flags = v.makeFlags()
			if v.ArgsUsage != trainerWords {
				c.args = append(slices.Clip(c.args[:2]), flagsFirst(c.args[2:], v.Flags)...)
			}
		}
		v.Before, v.OnUsageError = c.before, c.usageError
		v.CustomHelpTemplate, v.HideHelpCommand = verbHelpTemplate, true
		commands[i] = &v.Command
	}
	return commands
}

// before completes what urfave/cli has parsed: it checks the words, and reads the variables.
func (c *command) before(ctx *cli.Context) error {
	if err := c.called.checkWords(ctx.Args(), c.trainer != nil); err != nil {
		return &plan.UsageError{Err: err}
	}
	errs := readVariables(c.called.Name, ctx.Command.Flags, c.env)
	c.log.warn(unread(c.verbs, c.called, c.env))
	c.log.warn(idle(c.called.Name, ctx.Command.Flags))
	if err := c.settings.checkRoot(errs); err != nil {
		return &plan.UsageError{Err: err}
	}
	return nil
}

// reportsFailure says whether the platform learns of a failure. A word that is no verb was meant to start a
// trainer.
func (c *command) reportsFailure() bool {
	return !c.onlyShows && (c.called == nil || c.called.trains)
}

// newDoer makes the part of bootstrap that has effects. From then on it alone gets the signals.
func (c *command) newDoer() *bootstrap.Doer {
	if c.signals == nil {
		c.signals = bootstrap.Catch()
	}
	return bootstrap.NewDoer(c.signals, c.log.logger(), version)
}

// usageError turns an error of package flag into a *plan.UsageError.
func (c *command) usageError(_ *cli.Context, err error, _ bool) error {
	return &plan.UsageError{Err: errors.New(c.usage().explain(err.Error()))}
}

// unknownVerb is the action for a first word that is no verb.
func (c *command) unknownVerb(ctx *cli.Context) error {
	return &plan.UsageError{Err: c.usage().unknownVerb(ctx.Args().First())}
}

// onlyTrain refuses words before the --, except for the word "train" that the platform adds.
func (c *command) onlyTrain(ctx *cli.Context) error {
	if err := c.usage().onlyTrain(ctx.Args().Slice()); err != nil {
		return &plan.UsageError{Err: err}
	}
	return nil
}

func (c *command) usage() usage {
	return usage{args: c.args, trainer: c.trainer, verbs: c.verbs, called: c.called}
}
