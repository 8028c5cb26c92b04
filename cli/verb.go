//go:build linux

package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// trainerWords follow a verb that prepares a trainer.
const trainerWords = "-- COMMAND…"

// optionalTrainerWords may follow validate: some checks depend on the trainer's command.
const optionalTrainerWords = "[-- COMMAND…]"

// verb is a command of the command line.
type verb struct {
	cli.Command
	flags  func() []cli.Flag // nil if the verb has none
	trains bool              // it starts a trainer, so the platform learns of its failure
}

func newVerb(name, usage, words string, action cli.ActionFunc, flags func() []cli.Flag) *verb {
	return &verb{Command: cli.Command{Name: name, Usage: usage, ArgsUsage: words, Action: action}, flags: flags}
}

// makeFlags makes the flags anew.
func (v *verb) makeFlags() []cli.Flag {
	if v.flags == nil {
		return nil
	}
	return v.flags()
}

// options are the verb's flags, made anew.
func (v *verb) options() []*option { return options(v.makeFlags()) }

// variables are the names of the variables of the verb's flags.
func (v *verb) variables() []string {
	var names []string
	for _, o := range v.options() {
		names = append(names, variable(v.Name, o.name))
	}
	return names
}

// checkWords refuses words that the verb does not take. urfave/cli takes any.
func (v *verb) checkWords(words cli.Args, hasTrainer bool) error {
	if hasTrainer && v.ArgsUsage != trainerWords && v.ArgsUsage != optionalTrainerWords {
		return fmt.Errorf("entrain %s starts no command, so nothing may follow --", v.Name)
	}
	if takesNone := v.ArgsUsage == "" || v.ArgsUsage == optionalTrainerWords; takesNone && words.Present() {
		return fmt.Errorf("unexpected word %q: entrain %s takes flags only", words.First(), v.Name)
	}
	return nil
}

// table is all verbs.
type table []*verb

// named is the verb with this name or alias, nil if there is none.
func (t table) named(name string) *verb {
	if i := slices.IndexFunc(t, func(v *verb) bool { return v.HasName(name) }); i >= 0 {
		return t[i]
	}
	return nil
}

// shownNames are the names of the verbs that the help shows.
func (t table) shownNames() []string {
	names := []string{"help"}
	for _, v := range t {
		if !v.Hidden {
			names = append(names, v.Name)
		}
	}
	return names
}

// flagsFirst puts a verb's own words after its flags. urfave/cli looks for flags before the first word only.
func flagsFirst(args []string, flags []cli.Flag) []string {
	var first, words []string
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			words = append(words, args[i])
			continue
		}
		first = append(first, args[i])
		o := find(options(flags), strings.TrimLeft(args[i], "-"))
		if o != nil && !o.IsBoolFlag() && i+1 < len(args) {
			i++
			first = append(first, args[i])
		}
	}
	return append(first, words...)
}

// onePath is the only argument of a verb, as an absolute path.
func onePath(ctx *cli.Context, name string) (string, error) {
	word, err := oneWord(ctx, name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(word)
}

// oneWord returns the verb's only argument. It returns a *plan.UsageError if there is no argument, or another
// one, or if it is empty.
func oneWord(ctx *cli.Context, name string) (string, error) {
	words := ctx.Args().Slice()
	switch {
	case len(words) != 1:
		return "", &plan.UsageError{
			Err: fmt.Errorf("entrain %s takes one argument %s, got %d", ctx.Command.Name, name, len(words)),
		}
	case words[0] == "":
		return "", &plan.UsageError{Err: fmt.Errorf("%s %w", name, errEmpty)}
	}
	return words[0], nil
}
