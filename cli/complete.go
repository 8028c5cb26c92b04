//go:build linux

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// completeWord is the hidden verb of the completion scripts. The words up to the cursor follow it. It prints
// the words that may stand at the cursor, and has no other effect.
const completeWord = "__complete"

// completeFiles stands for the names of files: the shell completes those better.
const completeFiles = ":files"

// complete prints the words that the last word may become, one a line.
func complete(words []string, stdout io.Writer) {
	current := ""
	if n := len(words); n > 0 {
		words, current = words[:n-1], words[n-1]
	}
	verbs := newCommand([]string{"entrain", "run"}, nil, io.Discard, io.Discard).verbs
	for _, candidate := range candidates(verbs, words, current) {
		if candidate == completeFiles || strings.HasPrefix(candidate, current) {
			_, _ = fmt.Fprintln(stdout, candidate) // nobody waits for an error
		}
	}
}

// candidates are the words that may follow some words. The words after -- are the trainer's, which entrain
// does not know.
func candidates(verbs table, words []string, current string) []string {
	switch {
	case slices.Contains(words, "--"):
		return nil
	case len(words) == 0:
		return append(verbs.shownNames(), "--help", "--version", "--")
	case words[0] == "help" && len(words) == 1:
		return verbs.shownNames()
	}
	v := verbs.named(words[0])
	if v == nil {
		return nil
	}
	flags := v.options()
	if o := flagBefore(flags, words[1:]); o != nil {
		return valuesOf(o)
	}
	if name, _, assigned := strings.Cut(current, "="); assigned && strings.HasPrefix(name, "-") {
		return assignments(flags, name)
	}
	return wordsOf(v, flags, current)
}

// wordsOf are the words that may follow a verb, except for the value of a flag.
func wordsOf(v *verb, flags []*option, current string) []string {
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

// valuesOf are the values that an option may have.
func valuesOf(o *option) []string {
	switch o.valueName {
	case "":
		return []string{"true", "false"}
	case "DIR", "FILE", "PATH", "PROGRAM":
		return []string{completeFiles}
	}
	return o.values
}

// assignments are the words of the form --flag=VALUE for a flag.
func assignments(flags []*option, name string) []string {
	o := find(flags, strings.TrimLeft(name, "-"))
	if o == nil {
		return nil
	}
	values := slices.Clone(valuesOf(o))
	for i, value := range values {
		if value != completeFiles {
			values[i] = name + "=" + value
		}
	}
	return values
}

// flagBefore is the flag whose value follows some words of a verb, nil if no flag's value does.
func flagBefore(flags []*option, words []string) *option {
	var last *option
	for _, word := range words {
		if last != nil || !strings.HasPrefix(word, "-") {
			last = nil
			continue
		}
		if o := find(flags, strings.TrimLeft(word, "-")); o != nil && !o.IsBoolFlag() {
			last = o
		}
	}
	return last
}
