//go:build linux

package cli

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"entrain/bootstrap"
)

// option is a flag and its variable: one check serves both. cli's own flags read variables behind our back, and
// hold each name against a regular expression a dozen times, a tenth of what starting takes.
type option struct {
	name  string
	arg   string // what its value is called in help; empty for a switch
	usage string
	deflt string
	set   func(text string) error
	given bool
	text  string // that was given
	many  bool   // it may be given again, for one more
	// values are the words that it takes; empty where those cannot be listed.
	values []string
	needs  []string // it is a mistake without one of these flags; none for a flag that stands alone
	names  []string // its name, once cli has asked for it, which it does a hundred times
}

// help is cli's flag of that name, without its regular expression.
type help struct{ option }

func newHelp() cli.Flag {
	return &help{option{name: "help", usage: "show help", names: []string{"help", "h"}}}
}

func (h *help) String() string { return "--help, -h\t" + h.usage }

// Apply leaves the value to package flag, where cli looks for it.
func (h *help) Apply(set *flag.FlagSet) error {
	for _, name := range h.names {
		set.BoolVar(&h.given, name, false, h.usage)
	}
	return nil
}

// needing says that flags are a mistake without one of some others.
func needing(others []string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		if o, ours := f.(*option); ours {
			o.needs = others
		}
	}
	return flags
}

// given are the options that have a value.
func given(flags []cli.Flag) []*option {
	var options []*option
	for _, f := range flags {
		if o, ours := f.(*option); ours && o.given {
			options = append(options, o)
		}
	}
	return options
}

// idle are the mistakes of flags that lack the one they need. Variables may lack it: an image sets them for all verbs.
func idle(called, set []*option) (errs []error) {
	for _, o := range called {
		if o.needs != nil && !slices.ContainsFunc(set, func(other *option) bool { return slices.Contains(o.needs, other.name) }) {
			errs = append(errs, fmt.Errorf("--%s needs --%s", o.name, strings.Join(o.needs, " or --")))
		}
	}
	return errs
}

func (o *option) Names() []string {
	if o.names == nil {
		o.names = []string{o.name}
	}
	return o.names
}

func (o *option) IsSet() bool      { return o.given }
func (o *option) IsVisible() bool  { return true }
func (o *option) IsBoolFlag() bool { return o.arg == "" }

// Set takes a value. A second one where one counts is a mistake: somebody would look for the first one in vain.
func (o *option) Set(t string) error {
	if o.given && !o.many {
		return fmt.Errorf("it was given before, as %q, expected it once", o.text)
	}
	o.given, o.text = true, t
	return o.set(t)
}

func (o *option) Apply(set *flag.FlagSet) error {
	set.Var(o, o.name, o.usage)
	return nil
}

// String is the option's line of help.
func (o *option) String() string {
	usage := o.usage
	if o.deflt != "" {
		usage += " (default:" + noBreak + o.deflt + ")"
	}
	return strings.TrimSpace("--"+o.name+" "+o.arg) + "\t" + wrap(usage, 66, "\n  \t")
}

// wrap breaks a text between words into lines of a width, for a screen of 100 columns.
func wrap(text string, width int, newline string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteString(newline)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return strings.ReplaceAll(b.String(), noBreak, " ")
}

// noBreak is a space that wrap keeps.
const noBreak = "\x00"

func text(name, arg, usage string, to *string) *option {
	return &option{name: name, arg: arg, usage: usage, deflt: *to, set: func(s string) error {
		if s == "" {
			return errEmpty
		}
		*to = s
		return nil
	}}
}

func oneOf[T ~string](name, arg, usage string, to *T, allowed []string) cli.Flag {
	choices := strings.Join(allowed, ", ")
	o := &option{name: name, arg: arg, usage: usage + ": " + choices, deflt: string(*to), values: allowed}
	o.set = func(s string) error {
		if !slices.Contains(allowed, s) {
			return errors.New("expected " + choices)
		}
		*to = T(s)
		return nil
	}
	return o
}

func toggle(name, usage string, to *bool) cli.Flag {
	return &option{name: name, usage: usage, set: func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("expected true or false")
		}
		*to = b
		return nil
	}}
}

// plain leaves the default to the usage text.
func (o *option) plain() *option {
	o.deflt = ""
	return o
}

// choice is one of two words.
func choice(name, usage, no, yes string, to *bool) cli.Flag {
	words := map[bool]string{false: no, true: yes}
	values := []string{words[*to], words[!*to]}
	usage += ": " + strings.Join(values, ", ")
	o := &option{name: name, arg: "WORD", usage: usage, deflt: words[*to], values: values}
	o.set = func(s string) error {
		if s != no && s != yes {
			return errors.New("expected " + no + " or " + yes)
		}
		*to = s == yes
		return nil
	}
	return o
}

func duration(name, usage string, to *time.Duration) cli.Flag {
	return &option{name: name, arg: "DURATION", usage: usage, deflt: to.String(), set: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return errors.New("expected a duration above zero such as 90s or 15m")
		}
		*to = d
		return nil
	}}
}

func count(name, usage string, to *int) cli.Flag {
	o := &option{name: name, arg: "N", usage: usage, set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return errors.New("expected a whole number of at least 1")
		}
		*to = n
		return nil
	}}
	if *to > 0 {
		o.deflt = strconv.Itoa(*to)
	}
	return o
}

func port(name, usage string, to *int) cli.Flag {
	return &option{name: name, arg: "N", usage: usage, deflt: strconv.Itoa(*to), set: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return errors.New("expected a port number from 1 to 65535")
		}
		*to = int(n)
		return nil
	}}
}

func sig(name, usage string, to *int) cli.Flag {
	return &option{name: name, arg: "SIGNAL", usage: usage, set: func(s string) error {
		n, err := bootstrap.ParseSignal(s)
		*to = n
		return err
	}}
}
