package plan

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// checkShellText warns of a command that is a shell with a text, if the text loses the hyperparameters. They
// follow the text, so the shell has them as $0, $1 and so on. The program in the text gets them only if the
// text passes them on.
func checkShellText(job *contract.Job, words []string, o Options) []contract.Problem {
	args, err := hparams.Args(o.ArgsStyle, job.Params, o.GNU)
	shellAt, textAt := findShellText(words)
	if textAt < 0 || err != nil || len(args) == 0 {
		return nil
	}
	text, shell := words[textAt], path.Base(words[shellAt])
	var message string
	better := text
	switch hasZeroth := textAt+1 < len(words); {
	case !usesArguments(text):
		message = " -c does not use the hyperparameters, which come behind it as $0, $1 and so on"
		better = passArguments(text)
	case !hasZeroth && losesZeroth(text):
		message = " -c loses the first word of the hyperparameters: " +
			"the word behind the text is $0, and not one of \"$@\""
	default:
		return nil
	}
	line := quoteWords(append(contract.MaskWords(append(slices.Clone(words[:textAt]), better)), shell))
	if !usesArguments(text) && !endsWithProgram(text) {
		line = `put "$@" behind the program in the text, and the word ` + shell + " behind the text"
	}
	return []contract.Problem{{
		File: "the command", Warning: true,
		Message: "the text of " + shell + message,
		Hint:    line + ", or --args-style none where the program takes none",
	}}
}

// usesArguments says whether a shell's text reads its arguments, or the variables of the hyperparameters.
func usesArguments(text string) bool {
	return regexp.MustCompile(`\$(\{?[#!]?[1-9@*#]|\{[^}]*[@*])|\b(shift|getopts)\b|\$\{?SM_`).MatchString(text)
}

// losesZeroth says whether a shell's text passes all its arguments on but not $0.
func losesZeroth(text string) bool {
	return regexp.MustCompile(`\$\{?[@*]`).MatchString(text) &&
		!regexp.MustCompile(`\$\{?(0|SM_)`).MatchString(text)
}

// findShellText finds a POSIX shell that is the command or that a program such as env or timeout starts. It
// returns the index of the shell and the index of its text. Without such a text, textAt is -1.
func findShellText(words []string) (shellAt, textAt int) {
	known := interpreters()
	isShell := func(word string) bool {
		in := findInterpreter(known, word)
		return in != nil && in.posix
	}
	if len(words) == 0 {
		return 0, -1
	}
	if startsProgram(words[0]) {
		shellAt = max(0, slices.IndexFunc(words, isShell))
	}
	if !isShell(words[shellAt]) {
		return shellAt, -1
	}
	texts := make([]bool, len(words))
	findInterpreter(known, words[shellAt]).markTexts(words[shellAt+1:], texts[shellAt+1:])
	return shellAt, slices.Index(texts, true)
}

// startsProgram says whether a program runs a command that follows its own options.
func startsProgram(program string) bool {
	starters := []string{
		"env", "nice", "ionice", "nohup", "timeout", "setsid", "stdbuf", "taskset", "numactl", "chrt", "setpriv",
		"time", "gosu", "su-exec", "tini", "dumb-init", "catatonit",
	}
	return slices.Contains(starters, path.Base(program))
}

// endsWithProgram says whether a shell's text ends with a simple command, so that words at its end become
// arguments of that command's program.
func endsWithProgram(text string) bool {
	words := strings.Fields(strings.TrimRight(text, " \t\n;"))
	ends := []string{"done", "fi", "esac", "}", ")"}
	return len(words) > 0 && !slices.Contains(ends, words[len(words)-1]) &&
		!strings.ContainsAny(strings.ReplaceAll(text, "&&", ""), "|&()<>#`")
}

// passArguments changes a shell's text so that its last command gets the arguments.
func passArguments(text string) string {
	text = strings.TrimRight(text, " \t\n;")
	first, _, _ := strings.Cut(text, " ")
	if !strings.ContainsAny(text, ";&|\n") && first != "exec" && !strings.Contains(first, "=") {
		text = "exec " + text
	}
	return text + ` "$@"`
}
