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
	start := shellWord(words)
	at := start + shellText(words[start:])
	if at < start || err != nil || len(args) == 0 {
		return nil
	}
	text, shell := words[at], path.Base(words[start])
	var message string
	better := text
	switch zeroth := at+1 < len(words); {
	case !usesArguments(text):
		message = " -c does not use the hyperparameters, which come behind it as $0, $1 and so on"
		better = withArguments(text)
	case !zeroth && losesZeroth(text):
		message = " -c loses the first word of the hyperparameters: the word behind the text is $0, and not one of \"$@\""
	default:
		return nil
	}
	line := quoted(slices.Concat(contract.MaskWords(slices.Concat(words[:at], []string{better})), []string{shell}))
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

// shellWord is the place of a shell that another program starts, such as env and timeout; else 0.
func shellWord(words []string) int {
	starters := []string{
		"env", "nice", "ionice", "nohup", "timeout", "setsid", "stdbuf", "taskset", "numactl", "chrt", "setpriv", "time",
		"gosu", "su-exec", "tini", "dumb-init", "catatonit",
	}
	if len(words) == 0 || !slices.Contains(starters, path.Base(words[0])) {
		return 0
	}
	return max(0, slices.IndexFunc(words, isShell))
}

func isShell(word string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh"}, path.Base(word))
}

// shellText is the place of what a shell is to run, or -1: the word behind the options, one of which has a
// c.
func shellText(words []string) int {
	if len(words) == 0 || !isShell(words[0]) {
		return -1
	}
	command := false
	for i := 1; i < len(words); i++ {
		option := words[i]
		switch {
		case strings.HasPrefix(option, "--"):
		case strings.HasPrefix(option, "-"), strings.HasPrefix(option, "+"):
			command = command || option[0] == '-' && strings.Contains(option, "c")
			if strings.HasSuffix(option, "o") {
				i++ // its name
			}
		case command:
			return i
		default:
			return -1
		}
	}
	return -1
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
