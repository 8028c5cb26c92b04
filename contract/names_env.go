package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// named is what gives a variable its value: a hyperparameter or a channel.
type named struct {
	name, variable string
	pos            int // where its name stands in its file
}

// CheckVariables warns of hyperparameters and of channels that become the same variable: all but one of them
// are lost there.
func CheckVariables(j *Job, s *Snapshot, style EnvStyle) []Problem {
	var ofParams, ofChannels []Problem
	params, channels := namedBy(j, style)
	warnOfShared(configDocument(s, HyperparametersFile, &ofParams), "hyperparameters", params)
	warnOfShared(configDocument(s, InputDataFile, &ofChannels), "channels", channels)
	return append(inOrder(ofParams), inOrder(ofChannels)...)
}

// namedBy returns the hyperparameters and the channels with the variables that a style gives them.
func namedBy(j *Job, style EnvStyle) (params, channels []named) {
	switch style {
	case EnvToolkit:
		for _, p := range j.Params.User() {
			params = append(params, named{p.Name, hparams.ToolkitName("hp_" + p.Name), p.Pos})
		}
	case EnvDrivers:
		for _, p := range j.Params {
			params = append(params, named{p.Name, hparams.DriversName(p.Name), p.Pos})
		}
	case EnvNone:
		return nil, nil
	}
	for _, c := range j.Channels {
		channels = append(channels, named{c.Name, "SM_CHANNEL_" + strings.ToUpper(c.Name), c.Pos})
	}
	return params, channels
}

// warnOfShared warns of each variable that several names share: first by their own variables, then by the
// second names that a shell can read.
func warnOfShared(d *document, what string, all []named) {
	byVariable, warned := map[string][]named{}, map[string]bool{}
	for _, n := range all {
		if isVariableName(n.variable) {
			byVariable[n.variable] = append(byVariable[n.variable], n)
		}
	}
	warn := func(variable, holder string, sharing []named) {
		names := make([]string, len(sharing))
		for i, n := range sharing {
			names[i] = hparams.Quote(n.name)
		}
		list := strings.Join(names, " and ")
		if len(names) < 2 || warned[list] {
			return
		}
		warned[list] = true
		d.warn(sharing[len(sharing)-1].pos, "rename one of them",
			"%s %s share the variable %s, which holds the value of %s", what, list, variable, hparams.Quote(holder))
	}
	bySecond := map[string][]named{}
	for _, n := range all {
		if same := byVariable[n.variable]; len(same) > 0 {
			warn(n.variable, same[len(same)-1].name, same)
		}
		second := hparams.ShellName(n.variable)
		bySecond[second] = append(bySecond[second], n)
	}
	for _, n := range all {
		second := hparams.ShellName(n.variable)
		warn(second, holderOf(byVariable[second], bySecond[second]), bySecond[second])
	}
}

// holderOf returns the name whose value a second name holds: the last whose own variable it is, else the
// first without another variable, else the first.
func holderOf(own, sharing []named) string {
	if len(own) > 0 {
		return own[len(own)-1].name
	}
	i := slices.IndexFunc(sharing, func(n named) bool { return !isVariableName(n.variable) })
	return sharing[max(i, 0)].name
}
