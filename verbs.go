package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// version is set when a release is linked: -ldflags "-X main.version=v1.2.3".
var version = "dev"

func (c *command) verbs() []*cli.Command {
	verbs := []*cli.Command{
		{
			Name: "run", Aliases: []string{"train"}, Usage: "prepare, then supervise the trainer as its init (the default)",
			ArgsUsage: "-- COMMAND…", Flags: c.jobFlags(slices.Concat(c.trainerFlags(), c.superviseFlags())...), Action: c.run,
		},
		{
			Name: "exec", Usage: "prepare, then become the trainer",
			ArgsUsage: "-- COMMAND…", Flags: c.jobFlags(c.trainerFlags()...), Action: c.exec,
		},
		{
			Name: "validate", Usage: "check the contract and print every problem",
			Flags: c.jobFlags(c.formatFlag(&c.settings.validateFormat, "text", "json")), Action: c.validate,
		},
		{
			Name: "plan", Usage: "print what run would do",
			ArgsUsage: "-- COMMAND…",
			Flags: c.jobFlags(append(c.trainerFlags(), c.formatFlag(&c.settings.planFormat, "text", "json", "sh"),
				toggle("show-secrets", "print secrets as they are", &c.settings.secrets))...),
			Action: c.plan,
		},
		{Name: "wait", Usage: "wait until the peers' names resolve", Flags: c.jobFlags(c.waitFlags()...), Action: c.wait},
		{Name: "hostfile", Usage: "print a hostfile", Flags: c.hostfileFlags(), Action: c.hostfile},
	}
	verbs = append(verbs, c.setupVerbs()...)
	for _, v := range verbs {
		v.Before, v.OnUsageError, v.CustomHelpTemplate = c.readEnv, usageError, verbHelpTemplate
		v.HideHelpCommand = true
	}
	return verbs
}

// unknownVerb is where every other word ends.
func unknownVerb(ctx *cli.Context) error {
	return &bootstrap.UsageError{Err: fmt.Errorf("unknown verb %q (hint: entrain --help lists them; a command goes after --)", ctx.Args().First())}
}

func (c *command) run(ctx *cli.Context) error  { return c.train(ctx, (*bootstrap.Doer).Run) }
func (c *command) exec(ctx *cli.Context) error { return c.train(ctx, (*bootstrap.Doer).Exec) }

// train decides and does; whatever fails is left in the failure file too.
func (c *command) train(ctx *cli.Context, do func(*bootstrap.Doer, *bootstrap.Plan) error) error {
	doer := bootstrap.NewDoer(c.logger())
	plan, err := c.decide(ctx)
	if err == nil {
		err = do(doer, plan)
	}
	return bootstrap.Report(c.settings.root, err)
}

func (c *command) decide(ctx *cli.Context) (*bootstrap.Plan, error) {
	if err := onlyTrain(ctx); err != nil {
		return nil, err
	}
	in := bootstrap.Inspect(c.settings.root, c.env).WithData()
	c.warn(in)
	if err := in.Err(); err != nil {
		return nil, err
	}
	return in.Plan(c.options())
}

func (c *command) options() bootstrap.Options {
	o := c.settings.options
	o.Command = c.trainer
	return o
}

// onlyTrain refuses words before the --, but for the one that the platform adds.
func onlyTrain(ctx *cli.Context) error {
	if words := ctx.Args().Slice(); len(words) > 1 || len(words) == 1 && words[0] != "train" {
		return &bootstrap.UsageError{Err: fmt.Errorf("unexpected word %s (hint: put -- before the command: entrain %s -- %s)",
			strconv.Quote(words[0]), ctx.Command.Name, strings.Join(words, " "))}
	}
	return nil
}

// load reads a contract for which nobody needs the data; warnings go to the log.
func (c *command) load() (*bootstrap.Inspection, error) {
	in := bootstrap.Inspect(c.settings.root, c.env)
	c.warn(in)
	return in, in.Err()
}

func (c *command) warn(in *bootstrap.Inspection) {
	log := c.logger()
	for _, p := range in.Warnings() {
		log.Warn().Msg(p.String())
	}
}

func (c *command) validate(*cli.Context) error {
	in := bootstrap.Inspect(c.settings.root, c.env).WithData()
	err := in.Err()
	if err != nil {
		err = printedError{err}
	}
	if c.settings.validateFormat == "json" {
		return errors.Join(c.printJSON(shown{"valid": err == nil, "problems": in.Problems}), err)
	}
	var b strings.Builder
	for _, p := range in.Problems {
		fmt.Fprintf(&b, "%s: %v\n", map[bool]string{true: "warning", false: "error"}[p.Warning], p)
	}
	if err == nil {
		fmt.Fprintf(&b, "%s: the contract is valid\n", c.settings.root)
	}
	return errors.Join(c.print(b.String()), err)
}

// printedError is an error that has been shown already.
type printedError struct{ error }

func (p printedError) Unwrap() error { return p.error }

func (c *command) wait(*cli.Context) error {
	doer := bootstrap.NewDoer(c.logger())
	in, err := c.load()
	if err != nil {
		return err
	}
	return doer.Await(in, c.settings.options)
}

func (c *command) hostfile(*cli.Context) error {
	in, err := c.load()
	if err != nil {
		return err
	}
	text, err := in.Hostfile(c.settings.hostfileFormat, c.settings.slots)
	if err != nil {
		return err
	}
	return c.print(text)
}

func (c *command) printVersion(*cli.Context) error {
	return c.print(fmt.Sprintf("entrain %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}

func (c *command) print(text string) error {
	if _, err := fmt.Fprint(c.stdout, text); err != nil {
		return &bootstrap.OutputError{Err: err}
	}
	return nil
}

func (c *command) printJSON(v any) error {
	out := json.NewEncoder(c.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return &bootstrap.OutputError{Err: err}
	}
	return nil
}
