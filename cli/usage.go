//go:build linux

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap/plan"
)

// usage explains the mistakes in a command line.
type usage struct {
	args    []string // entrain's own words, with the program's name first
	trainer []string // the words after --; nil without a --
	verbs   table
	called  *verb // nil if args[1] is no verb
}

// explain puts a text of package flag into the words of entrain.
func (u usage) explain(text string) string {
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return u.unknownFlag(name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return u.missingValue(name)
	}
	if flag, ok := strings.CutSuffix(text, ": "+errEmpty.Error()); ok {
		if name, ok := strings.CutPrefix(flag, `invalid value "" for flag -`); ok {
			return u.spelled(name) + " " + errEmpty.Error()
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

// missingValue says that a flag at the end of the line needs a value, and what the value is called.
func (u usage) missingValue(name string) string {
	text := u.spelled(name) + " needs a value"
	if u.called == nil {
		return text
	}
	if o := find(u.called.options(), name); o != nil {
		text += ": --" + o.name + " " + o.valueName
	}
	return text
}

// spelled is a flag as the user wrote it, with one dash or two.
func (u usage) spelled(name string) string {
	for _, arg := range u.args[1:] {
		flag, _, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(flag, "-") && strings.TrimLeft(flag, "-") == name {
			return flag
		}
	}
	return "--" + name
}

// unknownFlag says where a flag belongs that its verb does not have, or which flag the user may have meant.
func (u usage) unknownFlag(name string) string {
	flag := u.spelled(name)
	owners, all := u.owners(name)
	if u.called == nil && len(owners) > 0 {
		return u.misplaced(flag, owners)
	}
	text := "unknown flag " + flag
	if len(owners) > 0 {
		return fmt.Sprintf("%s of entrain %s\nhint: it is a flag of entrain %s",
			text, u.called.Name, strings.Join(owners, ", entrain "))
	}
	if u.called != nil {
		all = append(optionNames(u.called.options()), "help")
	}
	if near := plan.Nearest(name, all); near != "" {
		return text + "\nhint: did you mean --" + near + "?"
	}
	if u.called == nil {
		return text + "\nhint: entrain --help lists the verbs, entrain VERB --help their flags"
	}
	text += "\nhint: entrain " + u.called.Name + " --help lists the flags"
	if u.called.ArgsUsage == trainerWords {
		text += "; a flag of the trainer goes after --"
	}
	return text
}

// owners returns the verbs that have a flag of this name, and the names of all flags.
func (u usage) owners(name string) (owners, all []string) {
	for _, v := range u.verbs {
		flags := v.options()
		if find(flags, name) != nil {
			owners = append(owners, v.Name)
		}
		all = append(all, optionNames(flags)...)
	}
	return owners, append(all, "help", "version")
}

// misplaced says where a flag goes that stands before the verb, or in the place of the verb.
func (u usage) misplaced(flag string, owners []string) string {
	words := u.args[1:]
	for i := 0; i < len(words); i++ {
		if v := u.verbs.named(words[i]); v != nil && !v.Hidden {
			return flag + " goes after the verb: " + u.line(words[i], slices.Concat(words[:i], words[i+1:]))
		}
		if u.expectsValue(words[i]) {
			i++
		}
	}
	return flag + " needs a verb before it\nhint: put " + owners[0] + " first: " + u.line(owners[0], words)
}

// expectsValue says whether a word is a flag of any verb whose value is the next word.
func (u usage) expectsValue(word string) bool {
	return strings.HasPrefix(word, "-") && slices.ContainsFunc(u.verbs, func(v *verb) bool {
		o := find(v.options(), strings.TrimLeft(word, "-"))
		return o != nil && !o.IsBoolFlag()
	})
}

// line is a command line that the user can copy. Secrets are masked.
func (u usage) line(verb string, words []string) string {
	words = append([]string{"entrain", verb}, plan.MaskWords(words)...)
	if u.trainer != nil {
		words = slices.Concat(words, []string{"--"}, plan.MaskWords(u.trainer))
	}
	return quoted(words)
}

// unknownVerb says which verb the user may have meant.
func (u usage) unknownVerb(word string) error {
	text := fmt.Sprintf("unknown verb %q\nhint: ", word)
	switch near := plan.Nearest(word, append(u.verbs.shownNames(), "train")); {
	case word == "serve":
		text = `entrain only trains; "serve" is SageMaker's word for an inference container` +
			"\nhint: use another image for it"
	case near != "":
		text += "did you mean entrain " + near + "?"
	default:
		text += "entrain --help lists them; a command goes after --"
	}
	return errors.New(text)
}

// onlyTrain says where the -- goes, if there are words before it other than "train". The words are the last
// words of the line.
func (u usage) onlyTrain(words []string) error {
	if len(words) == 0 || len(words) == 1 && words[0] == "train" {
		return nil
	}
	verbAndFlags := u.args[1:max(1, len(u.args)-len(words))]
	line := quoted(append([]string{"entrain"}, plan.MaskWords(verbAndFlags)...))
	return fmt.Errorf("unexpected word %q\nhint: put -- before the command: %s -- %s",
		words[0], line, strings.Join(plan.MaskWords(words), " "))
}

// quoted is a command line in which a shell finds these words.
func quoted(words []string) string {
	line := make([]string, len(words))
	for i, word := range words {
		line[i] = plan.ShellQuote(word)
	}
	return strings.Join(line, " ")
}
