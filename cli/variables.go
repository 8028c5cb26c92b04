//go:build linux

package cli

import (
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// unread warns of ENTRAIN_ variables that nothing reads: those of no flag at all, and under exec those of
// flags that only run has. An image's variables are for all verbs, so what another verb leaves unread is
// no mistake.
func (c *command) unread(ctx *cli.Context) {
	var all []string // the variables of all verbs, made only where there is a doubt
	log := c.logger()
	for _, name := range c.ours() {
		if slices.Contains(variables(ctx.Command.Name, ctx.Command.Flags), name) || bootstrap.IsVariable(name) {
			continue
		}
		if all == nil {
			all = allVariables()
		}
		switch {
		case !slices.Contains(all, name):
			log.Warn().Msg(withHint(name+" is no variable of entrain, so nothing reads it", bootstrap.NearestVariable(name, all)))
		case ctx.Command.Name == "exec" && slices.Contains(onlyRun(), name):
			log.Warn().Msg(withHint(name+" means nothing under entrain exec, which becomes the trainer", "entrain run reads it"))
		}
	}
}

// ours are the names of the environment that begin as entrain's variables do, each once.
func (c *command) ours() []string {
	var names []string
	for _, kv := range c.env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "ENTRAIN_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func withHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return fmt.Sprintf("%s\n%s%s", message, hintPrefix, hint)
}

// variables are those of a verb's flags.
func variables(verb string, flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		if o, ours := f.(*option); ours {
			names = append(names, variable(verb, o.name))
		}
	}
	return names
}

// allVariables are those of all verbs, and those that no flag has. The flags are of a command that is
// never called, since to make one sets its default.
func allVariables() []string {
	c := &command{settings: defaults(nil)}
	names := bootstrap.Variables()
	for verb, flags := range map[string][]cli.Flag{
		"run": c.runFlags(), "plan": c.planFlags(), "validate": c.validateFlags(), "hostfile": c.hostfileFlags(),
		"pipe": c.pipeFlags(), "scaffold": c.scaffoldFlags(), "keygen": c.keygenFlags(),
	} {
		names = append(names, variables(verb, flags)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// onlyRun are the variables of what can be chosen for run, and not for exec.
func onlyRun() []string {
	c := &command{settings: defaults(nil)}
	exec := variables("exec", c.trainerFlags())
	return slices.DeleteFunc(variables("run", c.runFlags()), func(name string) bool { return slices.Contains(exec, name) })
}
