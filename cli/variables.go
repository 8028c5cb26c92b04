//go:build linux

package cli

import (
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// variable is the name of a flag's variable. The formats differ from verb to verb, so --format has a variable
// for each.
func variable(verb, flag string) string {
	if flag == "format" {
		flag = verb + "-" + flag
	}
	return "ENTRAIN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readVariables sets the flags that were not given from their variables. It returns an error for each wrong
// value, and for each flag that lacks the flag it needs.
func readVariables(verb string, flags []cli.Flag, env []string) (errs []error) {
	onCommandLine := given(flags)
	for _, o := range options(flags) {
		if o.given {
			continue
		}
		name := variable(verb, o.name)
		if text, ok := plan.Getenv(env, name); ok {
			o.fromVariable = true
			if err := o.Set(text); err != nil {
				errs = append(errs, fmt.Errorf("%s=%q: %w", name, text, err))
			}
		}
	}
	return append(errs, checkNeeds(onCommandLine, given(flags))...)
}

// unread returns a message for each ENTRAIN_ variable that belongs to no flag, and under exec for each one
// whose flag only run has. A variable of another verb is no mistake: an image sets variables for all verbs.
func unread(verbs table, called *verb, env []string) (messages []string) {
	var known []string // all variables, made only if one is in doubt
	for _, name := range entrainNames(env) {
		if slices.Contains(called.variables(), name) || plan.IsVariable(name) {
			continue
		}
		if known == nil {
			known = allVariables(verbs)
		}
		switch {
		case !slices.Contains(known, name):
			messages = append(messages, withHint(name+" is no variable of entrain, so nothing reads it",
				plan.NearestVariable(name, known)))
		case called.Name == "exec" && slices.Contains(verbs.named("run").variables(), name):
			messages = append(messages, withHint(name+" means nothing under entrain exec, which becomes the trainer",
				"entrain run reads it"))
		}
	}
	return messages
}

// idle returns a message for each variable that sets a flag which only works with another style than the one
// that is chosen.
func idle(verb string, flags []cli.Flag) (messages []string) {
	set := given(flags)
	for _, o := range set {
		isOff := o.IsBoolFlag() && !o.isOn()
		if o.fromVariable && o.needsWords != nil && !isOff && o.lacksNeeded(set) {
			messages = append(messages, variable(verb, o.name)+" does nothing here: it needs "+o.needed())
		}
	}
	return messages
}

// allVariables are the variables of all flags of all verbs, and those without a flag.
func allVariables(verbs table) []string {
	names := plan.Variables()
	for _, v := range verbs {
		names = append(names, v.variables()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// entrainNames are the names in an environment that begin as the variables of entrain do, each once.
func entrainNames(env []string) []string {
	var names []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "ENTRAIN_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
