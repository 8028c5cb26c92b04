package plan

import (
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// Hint says what may help against the failure of a trainer. code is its exit code, and cause is what it said
// of its failure: see report.Said. The hint is empty if nothing is known.
func (p *Plan) Hint(code int, cause string) string {
	if hint := p.usageHint(code); hint != "" {
		return hint
	}
	return ChannelHint(p.Command.Env, cause)
}

// usageHint is the hint for a trainer that refuses its arguments, which may be due to the word "train". Exit
// code 2 of argparse and getopt, and 64 of sysexits.h, say that a trainer does so. The hint is empty for any
// other code, and if entrain has not passed on a word that may be the platform's.
func (p *Plan) usageHint(code int) string {
	const argparse, sysexits = 2, 64
	if !p.KeptTrain || code != argparse && code != sysexits {
		return ""
	}
	return `the command's last word "train" was passed on to it; ` +
		"SageMaker appends that word, and entrain drops it there (set TRAINING_JOB_NAME to try that here)"
}

// ChannelHint is the hint for a trainer that failed for lack of a variable SM_CHANNEL_…: it names the job's
// channels. env is the trainer's environment. The hint is empty if cause names no such variable, and without
// the variable SM_CHANNELS.
func ChannelHint(env []string, cause string) string {
	name := unsetChannel(env, cause)
	list, known := contract.Getenv(env, "SM_CHANNELS")
	if name == "" || !known {
		return ""
	}
	doc, _, _ := hparams.Parse(list) // entrain has written it
	channels := make([]string, len(doc.Items))
	for i, item := range doc.Items {
		channels[i] = item.Text
	}
	var hint string
	switch len(channels) {
	case 0:
		return name + " is not set: the job has no channels"
	case 1:
		hint = name + " is not set: the job's only channel is " + channels[0]
	default:
		hint = name + " is not set: the job's channels are " + strings.Join(channels, ", ")
	}
	if near := contract.NearestName(strings.TrimPrefix(name, channelPrefix), channels); near != "" {
		hint += "; did you mean " + near + "?"
	}
	return hint
}

// channelPrefix begins the names of the variables of channels.
const channelPrefix = "SM_CHANNEL_"

// unsetChannel returns the first variable of a channel in a text that an environment lacks.
func unsetChannel(env []string, text string) string {
	for {
		_, rest, found := strings.Cut(text, channelPrefix)
		if !found {
			return ""
		}
		text = rest
		if n := strings.IndexFunc(rest, func(r rune) bool { return !hparams.IsWord(string(r), "_-.") }); n >= 0 {
			rest = rest[:n]
		}
		name := channelPrefix + strings.TrimRight(rest, ".-")
		if name != channelPrefix && !IsSet(env, name) {
			return name
		}
	}
}
