package plan

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// checkShell warns where a shell's text is the command and does not pass on the hyperparameters: they come
// behind the text, where they are $0, $1 and so on, and not words of the program in it.
func checkShell(job *contract.Job, words []string, o Options) []contract.Problem {
	args, err := hparams.Args(o.ArgsStyle, job.Params, o.NegateFalse)
	at, textAt := shellText(words)
	if textAt < 0 || err != nil || len(args) == 0 {
		return nil
	}
	text, shell := words[textAt], path.Base(words[at])
	var message string
	better := text
	switch zeroth := textAt+1 < len(words); {
	case !usesArguments(text):
		message = " -c does not use the hyperparameters, which come behind it as $0, $1 and so on"
		better = withArguments(text)
	case !zeroth && losesZeroth(text):
		message = " -c loses the first word of the hyperparameters: the word behind the text is $0, and not one of \"$@\""
	default:
		return nil
	}
	line := quoted(slices.Concat(contract.MaskWords(slices.Concat(words[:textAt], []string{better})), []string{shell}))
	if !usesArguments(text) && !isSimple(text) {
		line = `put "$@" behind the program in the text, and the word ` + shell + " behind the text"
	}
	return []contract.Problem{{
		File: "the command", Warning: true,
		Message: "the text of " + shell + message,
		Hint:    line + ", or --args-style none where the program takes none",
	}}
}

// usesArguments says that a shell's text reads its arguments, or the variables of the hyperparameters.
func usesArguments(text string) bool {
	return regexp.MustCompile(`\$(\{?[#!]?[1-9@*#]|\{[^}]*[@*])|\b(shift|getopts)\b|\$\{?SM_`).MatchString(text)
}

// losesZeroth says that a shell's text passes all its arguments on, but not $0.
func losesZeroth(text string) bool {
	return regexp.MustCompile(`\$\{?[@*]`).MatchString(text) && !regexp.MustCompile(`\$\{?(0|SM_)`).MatchString(text)
}

func quoted(words []string) string {
	shown := make([]string, len(words))
	for i, word := range words {
		shown[i] = ShellQuote(word)
	}
	return strings.Join(shown, " ")
}

// shellText finds a POSIX shell that is the command or that a program such as env or timeout starts, and the
// text that the shell is to run. Without a text, textAt is -1.
func shellText(words []string) (at, textAt int) {
	known := interpreters()
	isShell := func(word string) bool {
		in := find(known, word)
		return in != nil && in.posix
	}
	if len(words) == 0 {
		return 0, -1
	}
	if startsProgram(words[0]) {
		at = max(0, slices.IndexFunc(words, isShell))
	}
	if !isShell(words[at]) {
		return at, -1
	}
	texts := make([]bool, len(words))
	find(known, words[at]).mark(words[at+1:], texts[at+1:])
	return at, slices.Index(texts, true)
}

// startsProgram says whether a program runs the command behind its own words.
func startsProgram(program string) bool {
	starters := []string{
		"env", "nice", "ionice", "nohup", "timeout", "setsid", "stdbuf", "taskset", "numactl", "chrt", "setpriv", "time",
		"gosu", "su-exec", "tini", "dumb-init", "catatonit",
	}
	return slices.Contains(starters, path.Base(program))
}

// isSimple says that what stands behind a shell's text belongs to the program that the text ends with.
func isSimple(text string) bool {
	words := strings.Fields(strings.TrimRight(text, " \t\n;"))
	ends := []string{"done", "fi", "esac", "}", ")"}
	return len(words) > 0 && !slices.Contains(ends, words[len(words)-1]) &&
		!strings.ContainsAny(strings.ReplaceAll(text, "&&", ""), "|&()<>#`")
}

// withArguments is a shell's text that passes its arguments on; of several commands to the last.
func withArguments(text string) string {
	text = strings.TrimRight(text, " \t\n;")
	first, _, _ := strings.Cut(text, " ")
	if !strings.ContainsAny(text, ";&|\n") && first != "exec" && !strings.Contains(first, "=") {
		text = "exec " + text
	}
	return text + ` "$@"`
}
