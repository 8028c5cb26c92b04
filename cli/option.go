//go:build linux

package cli

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// option is a flag and its variable: both set it by the same function. The flags of urfave/cli are not used:
// they read the environment by themselves, and match each name against a regular expression a dozen times,
// which is a tenth of the start-up time.
type option struct {
	name         string
	valueName    string // what the help calls the value; empty for a switch
	usage        string
	defaultValue string   // as the help shows it; empty to show none
	values       []string // the words that it takes; empty if they cannot be listed
	repeats      bool     // it may be given more than once
	needs        []string // names of flags; one of them must be set too, if needs is not empty
	needsWords   []string // the words of that flag which count; any if there are none
	fromVariable bool     // its value comes from its variable
	set          func(text string) error
	given        bool
	givenText    string
	names        []string // what Names returns: urfave/cli calls it a hundred times
}

// help is the flag --help of urfave/cli, without its regular expression.
type help struct{ option }

func newHelp() cli.Flag {
	return &help{option{name: "help", usage: "show help", names: []string{"help", "h"}}}
}

func (h *help) String() string { return "--help, -h\t" + h.usage }

// Apply leaves the value to package flag, where urfave/cli looks for it.
func (h *help) Apply(set *flag.FlagSet) error {
	for _, name := range h.names {
		set.BoolVar(&h.given, name, false, h.usage)
	}
	return nil
}

// Names implements cli.Flag.
func (o *option) Names() []string {
	if o.names == nil {
		o.names = []string{o.name}
	}
	return o.names
}

// IsSet implements cli.Flag.
func (o *option) IsSet() bool { return o.given }

// IsVisible implements cli.VisibleFlag.
func (o *option) IsVisible() bool { return true }

// IsBoolFlag tells package flag that a switch needs no value.
func (o *option) IsBoolFlag() bool { return o.valueName == "" }

// isOn says whether a switch is set to true.
func (o *option) isOn() bool {
	on, err := strconv.ParseBool(o.givenText)
	return on && err == nil
}

// Set takes a value. A second value is an error unless the option repeats: one of the two would be lost.
func (o *option) Set(text string) error {
	if o.given && !o.repeats {
		return fmt.Errorf("it is given twice, first as %q, expected it once", o.givenText)
	}
	o.given, o.givenText = true, text
	return o.set(text)
}

// Apply implements cli.Flag.
func (o *option) Apply(set *flag.FlagSet) error {
	set.Var(value{o}, o.name, o.usage)
	return nil
}

// value is an option for package flag, which asks each flag for its text, and shows none.
type value struct{ *option }

func (value) String() string { return "" }

// String is the option's line of help.
func (o *option) String() string {
	usage := o.usage
	if o.defaultValue != "" {
		usage += " (default:" + noBreak + o.defaultValue + ")"
	}
	return strings.TrimSpace("--"+o.name+" "+o.valueName) + "\t" + wrap(usage, 66, "\n  \t")
}

// withoutDefault hides the default, for a usage text that explains it.
func (o *option) withoutDefault() *option {
	o.defaultValue = ""
	return o
}

// options are the flags that are options. The other one is --help.
func options(flags []cli.Flag) []*option {
	var list []*option
	for _, f := range flags {
		if o, ok := f.(*option); ok {
			list = append(list, o)
		}
	}
	return list
}

// optionNames are the names of some options.
func optionNames(list []*option) []string {
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.name
	}
	return names
}

// find is the option with this name, nil if there is none.
func find(list []*option, name string) *option {
	if i := slices.IndexFunc(list, func(o *option) bool { return o.name == name }); i >= 0 {
		return list[i]
	}
	return nil
}

// given are the options that have a value from a flag or a variable.
func given(flags []cli.Flag) []*option {
	return slices.DeleteFunc(options(flags), func(o *option) bool { return !o.given })
}

// needOneOf makes it an error to give one of the flags without one of the others.
func needOneOf(others []string, flags ...cli.Flag) []cli.Flag {
	for _, o := range options(flags) {
		o.needs = others
	}
	return flags
}

// checkNeeds returns an error for each flag on the command line that lacks the flag it needs. Variables may
// lack it: an image sets them for all verbs.
func checkNeeds(onCommandLine, set []*option) (errs []error) {
	for _, o := range onCommandLine {
		if o.lacksNeeded(set) {
			errs = append(errs, fmt.Errorf("--%s needs %s", o.name, o.needed()))
		}
	}
	return errs
}

// lacksNeeded says whether none of the flags that are set is one that this flag needs.
func (o *option) lacksNeeded(set []*option) bool {
	isNeeded := func(other *option) bool {
		counts := o.needsWords == nil || slices.Contains(o.needsWords, other.givenText)
		return counts && slices.Contains(o.needs, other.name)
	}
	return o.needs != nil && !slices.ContainsFunc(set, isNeeded)
}

// needed names the flags that this flag needs, and their words.
func (o *option) needed() string {
	return strings.TrimSpace("--" + strings.Join(o.needs, " or --") + " " + strings.Join(o.needsWords, " or "))
}

// withNeededWords makes only some words of the flag that the others need count.
func withNeededWords(words []string, flags ...cli.Flag) []cli.Flag {
	for _, o := range options(flags) {
		o.needsWords = words
	}
	return flags
}
