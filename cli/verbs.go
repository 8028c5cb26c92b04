//go:build linux

package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// trainerWords is what follows a verb that starts a trainer.
const trainerWords = "-- COMMAND…"

// checkedWords is what may follow validate: what it would be for run decides what is wrong.
const checkedWords = "[-- COMMAND…]"

// verb is a command whose flags are made only if it is the one that is called.
type verb struct {
	cli.Command
	flags func() []cli.Flag
}

// table is every verb there is.
func (c *command) table() []verb {
	return append(c.jobVerbs(), c.toolVerbs()...)
}

// jobVerbs are the verbs that read the contract.
func (c *command) jobVerbs() []verb {
	train := newVerb("run", "prepare, then run the trainer as its init (the default)", trainerWords, c.run, c.runFlags)
	train.Aliases = []string{"train"}
	return []verb{
		train,
		newVerb("exec", "prepare, then become the trainer", trainerWords, c.exec, c.trainerFlags),
		newVerb("validate", "check the contract and print every problem", checkedWords, c.validate, c.validateFlags),
		newVerb("plan", "print what run would do", trainerWords, c.plan, c.planFlags),
		newVerb("wait", "wait until all hosts of the job are ready", "", c.wait, c.waitFlags),
		newVerb("hostfile", "print a hostfile for MPI", "", c.hostfile, c.hostfileFlags),
		newVerb("pipe", "stream a Pipe-mode channel, epoch after epoch", "CHANNEL", c.pipe, c.pipeFlags),
		newVerb("spec", "write a first specification of the algorithm, from a contract", "", c.spec, c.specFlags),
	}
}

// toolVerbs are the others. Launchers call the last two.
func (c *command) toolVerbs() []verb {
	rank := newVerb("rank", "start a rank's trainer in its host's environment; an MPI launcher calls it",
		"DIR [--keep NAME]… -- COMMAND…", c.unknownVerb, nil)
	rsh := newVerb("rsh", "start an MPI launcher's daemon on another host of the job; the launcher calls it",
		"HOST WORD…", c.unknownVerb, nil)
	rank.Hidden, rsh.Hidden = true, true
	return []verb{
		newVerb("scaffold", "write a valid contract, to try an image on a laptop", "DIR", c.scaffold, c.scaffoldFlags),
		newVerb("install", "copy this program, for init containers", "PATH", c.install, nil),
		newVerb("keygen", "write a new cluster key", "PATH", c.keygen, c.keygenFlags),
		newVerb("version", "print the version and how it was built", "", c.printVersion, c.versionFlags),
		newVerb("completion", "print a completion script for a shell", shellWords, c.completion, nil),
		rank, rsh,
	}
}

func newVerb(name, usage, words string, action cli.ActionFunc, flags func() []cli.Flag) verb {
	return verb{cli.Command{Name: name, Usage: usage, ArgsUsage: words, Action: action}, flags}
}

func (c *command) verbs() []*cli.Command {
	table := c.table()
	verbs := make([]*cli.Command, len(table))
	c.trains = true // what is no verb was meant to start a trainer
	for i := range table {
		v := &table[i]
		if v.HasName(c.args[1]) {
			c.trains = v.Name == "run" || v.Name == "exec"
			if v.flags != nil {
				v.Flags = v.flags()
			}
			if v.ArgsUsage != trainerWords {
				c.args = append(slices.Clip(c.args[:2]), flagsFirst(c.args[2:], v.Flags)...)
			}
		}
		v.Before, v.OnUsageError = c.before, c.usageError
		v.CustomHelpTemplate, v.HideHelpCommand = verbHelpTemplate, true
		verbs[i] = &v.Command
	}
	return verbs
}

// flagsFirst puts a verb's own words behind its flags, where cli looks for them.
func flagsFirst(args []string, flags []cli.Flag) []string {
	var first, words []string
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			words = append(words, args[i])
			continue
		}
		first = append(first, args[i])
		takes := slices.ContainsFunc(flags, func(f cli.Flag) bool {
			o, ours := f.(*option)
			return ours && o.name == strings.TrimLeft(args[i], "-") && !o.IsBoolFlag()
		})
		if takes && i+1 < len(args) {
			i++
			first = append(first, args[i])
		}
	}
	return append(first, words...)
}

// before checks what cli leaves unchecked.
func (c *command) before(ctx *cli.Context) error {
	takesCommand := ctx.Command.ArgsUsage == trainerWords || ctx.Command.ArgsUsage == checkedWords
	if !takesCommand && c.trainer != nil {
		return &bootstrap.UsageError{Err: fmt.Errorf("entrain %s starts no command, so nothing may follow --", ctx.Command.Name)}
	}
	if words := ctx.Args(); (ctx.Command.ArgsUsage == "" || ctx.Command.ArgsUsage == checkedWords) && words.Present() {
		return &bootstrap.UsageError{Err: fmt.Errorf("unexpected word %q: entrain %s takes flags only", words.First(), ctx.Command.Name)}
	}
	return c.readEnv(ctx)
}

func (c *command) run(ctx *cli.Context) error  { return c.train(ctx, "run", (*bootstrap.Doer).Run) }
func (c *command) exec(ctx *cli.Context) error { return c.train(ctx, "exec", (*bootstrap.Doer).Exec) }

// train decides and does.
func (c *command) train(ctx *cli.Context, verb string, do func(*bootstrap.Doer, *bootstrap.Plan) error) error {
	if c.settings.dryRun {
		return c.dryRun(ctx)
	}
	doer := c.newDoer()
	end := doer.Phase("read")
	in, err := c.inspectBy(doer, bootstrap.ScopeLaunch)
	if err != nil {
		return err
	}
	doer.At(c.host)
	c.warn(in)
	plan, err := c.decide(ctx, in)
	if err != nil {
		return doer.Fail(in, c.settings.options, verb, err)
	}
	end()
	if c.settings.logLevel == "debug" {
		o := c.options()
		o.Mask = true
		if masked, err := in.Plan(o); err == nil {
			doer.Describe(in, masked)
		}
	}
	return do(doer, plan)
}

func (c *command) decide(ctx *cli.Context, in *bootstrap.Inspection) (*bootstrap.Plan, error) {
	if err := c.onlyTrain(ctx); err != nil {
		return nil, err
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return in.Plan(c.options())
}

func (c *command) options() bootstrap.Options {
	o := c.settings.options
	o.Command = c.trainer
	o.CalledTrain = c.trainer == nil && c.args[len(c.args)-1] == "train"
	return o
}

func (c *command) wait(*cli.Context) error {
	doer := c.newDoer()
	in, err := c.loadBy(doer)
	doer.At(c.host)
	if err != nil {
		return doer.Fail(in, c.settings.options, "wait", err)
	}
	plan, err := in.WaitPlan(c.settings.options)
	if err != nil {
		return err
	}
	return doer.Await(plan)
}

func (c *command) hostfile(*cli.Context) error {
	in, err := c.load()
	if err != nil {
		return err
	}
	text, err := in.Hostfile(c.settings.format, c.settings.options.Slots)
	if err != nil {
		return err
	}
	return c.print(text)
}

func (c *command) print(text string) error {
	if _, err := fmt.Fprint(&c.stdout, text); err != nil {
		return &bootstrap.OutputError{What: "standard output", Err: err}
	}
	return nil
}

func (c *command) printJSON(v any) error {
	out := json.NewEncoder(&c.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return &bootstrap.OutputError{What: "standard output", Err: err}
	}
	return nil
}
