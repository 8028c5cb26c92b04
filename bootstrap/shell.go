package bootstrap

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
	at := shellText(words)
	if at < 0 || err != nil || len(args) == 0 {
		return nil
	}
	text := words[at]
	if regexp.MustCompile(`\$(\{?[#!]?[1-9@*#]|\{[^}]*[@*])|\b(shift|getopts)\b|\$\{?SM_`).MatchString(text) {
		return nil
	}
	shell := path.Base(words[0])
	better := contract.MaskWords(words[:at+1])
	better[at] = withArguments(better[at])
	for i, word := range better {
		better[i] = ShellQuote(word)
	}
	line := strings.Join(better, " ") + " " + shell
	if !isSimple(text) {
		line = `put "$@" behind the program in the text, and the word ` + shell + " behind the text"
	}
	return []contract.Problem{{
		File: "the command", Warning: true,
		Message: "the text of " + shell + " -c does not use the hyperparameters, which come behind it as $0, $1 and so on",
		Hint:    line + ", or --args-style none where the program takes none",
	}}
}

// shellText is the place of what a shell is to run, or -1: the word behind the options, one of which has a
// c.
func shellText(words []string) int {
	shells := []string{"sh", "bash", "dash", "ash", "zsh", "ksh"}
	if len(words) == 0 || !slices.Contains(shells, path.Base(words[0])) {
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
