//go:build linux

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// completeVerb is the hidden verb that the completion scripts call with the words up to the cursor. It starts
// nothing and writes nothing but candidates.
const completeVerb = "__complete"

// completeFiles stands for the names of files, which a shell knows better.
const completeFiles = ":files"

// complete prints what the last word may become, one candidate a line.
func complete(words []string, stdout io.Writer) {
	c := newCommand([]string{"entrain", "run"}, nil, io.Discard, io.Discard)
	current := ""
	if n := len(words); n > 0 {
		words, current = words[:n-1], words[n-1]
	}
	for _, candidate := range c.candidates(words, current) {
		if candidate == completeFiles || strings.HasPrefix(candidate, current) {
			_, _ = fmt.Fprintln(stdout, candidate) // a shell that does not listen needs no answer
		}
	}
}

// candidates are the words that entrain knows for the place after some words. After -- the words are the trainer's.
func (c *command) candidates(words []string, current string) []string {
	switch {
	case slices.Contains(words, "--"):
		return nil
	case len(words) == 0:
		return append(c.verbNames(), "--help", "--version", "--")
	case words[0] == "help" && len(words) == 1:
		return c.verbNames()
	}
	v := c.verb(words[0])
	if v == nil {
		return nil
	}
	flags := v.options()
	if o := openFlag(flags, words[1:]); o != nil {
		return o.candidates()
	}
	if name, _, assigned := strings.Cut(current, "="); assigned && strings.HasPrefix(name, "-") {
		return assignments(flags, name)
	}
	return v.words(flags, current)
}

// words are the candidates for a word that is no flag's value.
func (v *verb) words(flags []*option, current string) []string {
	switch {
	case strings.HasPrefix(current, "-"), v.ArgsUsage == "", v.ArgsUsage == trainerWords:
		names := []string{"--help"}
		for _, o := range flags {
			names = append(names, "--"+o.name)
		}
		if v.ArgsUsage == trainerWords {
			names = append(names, "--")
		}
		return names
	case v.ArgsUsage == shellWords:
		return strings.Split(shellWords, "|")
	case v.ArgsUsage == "DIR", v.ArgsUsage == "PATH":
		return []string{completeFiles}
	}
	return nil
}

// assignments are the candidates for --flag=VALUE.
func assignments(flags []*option, name string) []string {
	o := find(flags, strings.TrimLeft(name, "-"))
	if o == nil {
		return nil
	}
	values := slices.Clone(o.candidates())
	for i, value := range values {
		if value != completeFiles {
			values[i] = name + "=" + value
		}
	}
	return values
}

// openFlag is the flag whose value comes after some words of a verb, nil for none.
func openFlag(flags []*option, words []string) *option {
	var open *option
	for _, word := range words {
		if open != nil || !strings.HasPrefix(word, "-") {
			open = nil
			continue
		}
		if o := find(flags, strings.TrimLeft(word, "-")); o != nil && !o.IsBoolFlag() {
			open = o
		}
	}
	return open
}

// candidates are the values that an option knows.
func (o *option) candidates() []string {
	switch o.arg {
	case "":
		return []string{"true", "false"}
	case "DIR", "FILE", "PATH", "PROGRAM":
		return []string{completeFiles}
	}
	return o.values
}

// verbNames are the names of the verbs that help shows.
func (c *command) verbNames() []string {
	names := []string{"help"}
	for _, v := range c.table() {
		if !v.Hidden {
			names = append(names, v.Name)
		}
	}
	return names
}

// verb is a verb by its name or alias, nil for none.
func (c *command) verb(name string) *verb {
	table := c.table()
	if i := slices.IndexFunc(table, func(v verb) bool { return v.HasName(name) }); i >= 0 {
		return &table[i]
	}
	return nil
}

// options are the verb's flags.
func (v *verb) options() []*option {
	if v.flags == nil {
		return nil
	}
	return options(v.flags())
}

// options are those flags that are ours.
func options(flags []cli.Flag) []*option {
	var list []*option
	for _, f := range flags {
		if o, ours := f.(*option); ours {
			list = append(list, o)
		}
	}
	return list
}

// find is an option by its name, nil for none.
func find(list []*option, name string) *option {
	if i := slices.IndexFunc(list, func(o *option) bool { return o.name == name }); i >= 0 {
		return list[i]
	}
	return nil
}
