//go:build linux

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// errEmpty is the mistake of a text that is empty.
var errEmpty = errors.New("must not be empty")

// usageError is what the command line's own mistakes become.
func (c *command) usageError(_ *cli.Context, err error, _ bool) error {
	return &bootstrap.UsageError{Err: errors.New(c.explain(err.Error()))}
}

// explain puts into our words what package flag says.
func (c *command) explain(text string) string {
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return c.unknownFlag(name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		text = c.spelled(name) + " needs a value"
		if v := c.verb(c.args[1]); v != nil {
			if o := find(v.options(), name); o != nil {
				text += ": --" + o.name + " " + o.arg
			}
		}
		return text
	}
	if flag, empty := strings.CutSuffix(text, ": "+errEmpty.Error()); empty {
		if name, ok := strings.CutPrefix(flag, `invalid value "" for flag -`); ok {
			return c.spelled(name) + " " + errEmpty.Error()
		}
	}
	if boolean, ok := strings.CutPrefix(text, "invalid boolean flag "); ok {
		return "invalid use of flag --" + boolean
	}
	if boolean, ok := strings.CutPrefix(text, "invalid boolean value "); ok {
		return "invalid value " + strings.Replace(boolean, " for -", " for flag --", 1)
	}
	return strings.Replace(text, " for flag -", " for flag --", 1)
}

// spelled is a flag as it was written, with one dash or two.
func (c *command) spelled(name string) string {
	for _, arg := range c.args[1:] {
		given, _, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(given, "-") && strings.TrimLeft(given, "-") == name {
			return given
		}
	}
	return "--" + name
}

// unknownFlag says where a flag belongs that its verb does not have, or what it may have been meant to be.
func (c *command) unknownFlag(name string) string {
	flag, given := c.spelled(name), c.verb(c.args[1])
	owners, all := c.owners(name)
	if given == nil && len(owners) > 0 {
		return c.misplaced(flag, owners)
	}
	text := "unknown flag " + flag
	if len(owners) > 0 {
		return fmt.Sprintf("%s of entrain %s\nhint: it is a flag of entrain %s",
			text, given.Name, strings.Join(owners, ", entrain "))
	}
	if given != nil {
		all = append(optionNames(given.options()), "help")
	}
	if near := bootstrap.Nearest(name, all); near != "" {
		return text + "\nhint: did you mean --" + near + "?"
	}
	if given == nil {
		return text + "\nhint: entrain --help lists the verbs, entrain VERB --help their flags"
	}
	text += "\nhint: entrain " + given.Name + " --help lists the flags"
	if given.ArgsUsage == trainerWords {
		text += "; a flag of the trainer goes after --"
	}
	return text
}

// owners are the verbs that have a flag of that name, and the names of all flags that there are.
func (c *command) owners(name string) (owners, all []string) {
	for _, v := range c.table() {
		flags := v.options()
		if find(flags, name) != nil {
			owners = append(owners, v.Name)
		}
		all = append(all, optionNames(flags)...)
	}
	return owners, append(all, "help", "version")
}

func optionNames(list []*option) []string {
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.name
	}
	return names
}

// misplaced says where a flag goes that was put before the verb, or in the place of one.
func (c *command) misplaced(flag string, owners []string) string {
	words := c.args[1:]
	for i := 0; i < len(words); i++ {
		if v := c.verb(words[i]); v != nil && !v.Hidden {
			return flag + " goes after the verb: " + c.line(words[i], slices.Concat(words[:i], words[i+1:]))
		}
		if c.takesValue(words[i]) {
			i++
		}
	}
	return flag + " needs a verb before it\nhint: put " + owners[0] + " first: " + c.line(owners[0], words)
}

// takesValue says whether the next word is the value of a flag of any verb.
func (c *command) takesValue(word string) bool {
	return strings.HasPrefix(word, "-") && slices.ContainsFunc(c.table(), func(v verb) bool {
		o := find(v.options(), strings.TrimLeft(word, "-"))
		return o != nil && !o.IsBoolFlag()
	})
}

// line is a command line to copy, with secrets masked.
func (c *command) line(verb string, words []string) string {
	words = append([]string{"entrain", verb}, bootstrap.MaskWords(words)...)
	if c.trainer != nil {
		words = slices.Concat(words, []string{"--"}, bootstrap.MaskWords(c.trainer))
	}
	for i, word := range words {
		words[i] = bootstrap.ShellQuote(word)
	}
	return strings.Join(words, " ")
}

// unknownVerb is where every other word ends.
func (c *command) unknownVerb(ctx *cli.Context) error {
	word := ctx.Args().First()
	text := fmt.Sprintf("unknown verb %q\nhint: ", word)
	switch near := bootstrap.Nearest(word, append(c.verbNames(), "train")); {
	case word == "serve":
		text = `entrain only trains; "serve" is SageMaker's word for an inference container` +
			"\nhint: use another image for it"
	case near != "":
		text += "did you mean entrain " + near + "?"
	default:
		text += "entrain --help lists them; a command goes after --"
	}
	return &bootstrap.UsageError{Err: errors.New(text)}
}

// onlyTrain refuses words before the --, but for the one that the platform adds.
func (c *command) onlyTrain(ctx *cli.Context) error {
	words := ctx.Args().Slice()
	if len(words) == 0 || len(words) == 1 && words[0] == "train" {
		return nil
	}
	shown := strings.Join(bootstrap.MaskWords(words), " ")
	line := []string{"entrain"}
	for _, word := range bootstrap.MaskWords(c.args[1:max(1, len(c.args)-len(words))]) { // the verb and its flags
		line = append(line, bootstrap.ShellQuote(word))
	}
	return &bootstrap.UsageError{Err: fmt.Errorf("unexpected word %q\nhint: put -- before the command: %s -- %s",
		words[0], strings.Join(line, " "), shown)}
}
