package plan

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// interpreter describes a program that takes program text as one of its words.
type interpreter struct {
	names       []string // its names, without a directory and a version
	textLetters string   // the one-letter options that program text belongs to, such as the c of sh -c
	textOptions []string // the long options that program text belongs to
	// shell says that the text is the first word after all options (sh -c -e TEXT). Otherwise it is the word
	// after its own option.
	shell       bool
	firstIsText bool   // the first word that is no option is program text, without an option that says so
	posix       bool   // a shell that reads "$@" and $0 as POSIX says
	wordLetters string // other one-letter options that take a word of their own
}

func interpreters() []interpreter {
	evalPrint := []string{"--eval", "--print"}
	return []interpreter{
		{
			names:       []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "rbash"},
			textLetters: "c", shell: true, posix: true, wordLetters: "oO",
		},
		{
			names:       []string{"fish", "csh", "tcsh"},
			textLetters: "c", textOptions: []string{"--command"}, shell: true, wordLetters: "oO",
		},
		{
			names:       []string{"su", "runuser", "script", "flock"},
			textLetters: "c", textOptions: []string{"--command", "--session-command"},
		},
		{names: []string{"python", "pypy"}, textLetters: "c", wordLetters: "WX"},
		{names: []string{"perl"}, textLetters: "eE", wordLetters: "IMm"},
		{names: []string{"ruby"}, textLetters: "e", wordLetters: "ICr"},
		{names: []string{"node", "nodejs", "bun"}, textLetters: "ep", textOptions: evalPrint, wordLetters: "rC"},
		{names: []string{"Rscript", "R"}, textLetters: "e"},
		{names: []string{"julia"}, textLetters: "eE", textOptions: evalPrint},
		{names: []string{"lua", "luajit"}, textLetters: "e"},
		{names: []string{"php"}, textLetters: "r"},
		{
			names: []string{"pwsh", "powershell"}, textLetters: "c",
			textOptions: []string{"-Command", "-command"},
		},
		{names: []string{"awk", "gawk", "mawk", "nawk", "original-awk"}, firstIsText: true, wordLetters: "FvfE"},
		{names: []string{"env"}, textLetters: "S", textOptions: []string{"--split-string"}, wordLetters: "uC"},
	}
}

// programTexts says which words of a command are the program text of an interpreter, such as the word after
// the -c of a shell. The interpreter may be any word: "env A=b sh -c TEXT" and "timeout 60 bash -lc TEXT"
// have a text. entrain never expands a variable in a text: the interpreter reads variables itself, and a
// value must not become a part of its program.
func programTexts(words []string) []bool {
	texts := make([]bool, len(words))
	known := interpreters()
	for i, word := range words {
		if in := findInterpreter(known, word); in != nil {
			in.markTexts(words[i+1:], texts[i+1:])
		}
	}
	return texts
}

// findInterpreter finds the interpreter that a program's name or path stands for. It returns nil for none.
func findInterpreter(known []interpreter, program string) *interpreter {
	name := strings.TrimRight(path.Base(program), "0123456789.-")
	if python, found := strings.CutPrefix(path.Base(program), "python"); found {
		// The letters of a variant follow the version, as in python3.14t.
		name = "python" + strings.TrimLeft(strings.TrimRight(python, "dmt"), "0123456789.-")
	}
	for i, in := range known {
		if slices.Contains(in.names, name) {
			return &known[i]
		}
	}
	return nil
}

// markTexts sets texts for the program texts among the words after an interpreter's name.
func (in *interpreter) markTexts(words []string, texts []bool) {
	operandIsText := in.firstIsText
	for i := 0; i < len(words); i++ {
		switch {
		case isOption(words[i]):
		case !operandIsText && mayBelongToOption(words, i):
			continue
		default:
			if operandIsText {
				in.markOperand(words[i:], texts[i:])
			}
			if in.skipsOperands() {
				continue
			}
			return // the words after it belong to the program in the text
		}
		place, taken := in.readOption(words[i])
		switch {
		case place == textAttached:
			texts[i] = true
		case place == textFollows && in.shell:
			operandIsText = true
		case place == textFollows && i+1 < len(words):
			texts[i+1] = true
			taken = 1
		}
		i += taken
	}
}

// mayBelongToOption says whether the word at i may be the value of the long option before it, as in bash
// --rcfile FILE -c TEXT. An option has to follow: otherwise the word is the program's script, and has no text
// behind it.
func mayBelongToOption(words []string, i int) bool {
	return i > 0 && strings.HasPrefix(words[i-1], "--") && len(words[i-1]) > 2 &&
		!strings.Contains(words[i-1], "=") && i+1 < len(words) && isOption(words[i+1])
}

// markOperand sets texts for the first word that is no option. The options may end with --, or with - for a
// shell (POSIX, sh).
func (in *interpreter) markOperand(words []string, texts []bool) {
	if words[0] == "--" || in.shell && words[0] == "-" {
		words, texts = words[1:], texts[1:]
	}
	if len(words) > 0 {
		texts[0] = true
	}
}

// textPlace says where the program text of an option is.
type textPlace int

const (
	textNowhere  textPlace = iota // the option has no program text
	textAttached                  // in the option's own word: perl -e'print 1', --eval=TEXT
	textFollows                   // in a later word
)

// readOption says where the program text of an option is, and how many words the option takes for something
// else.
func (in *interpreter) readOption(word string) (place textPlace, taken int) {
	if strings.HasPrefix(word, "--") || slices.Contains(in.textOptions, word) {
		name, _, assigned := strings.Cut(word, "=")
		switch {
		case !slices.Contains(in.textOptions, name):
			return textNowhere, 0
		case assigned:
			return textAttached, 0
		}
		return textFollows, 0
	}
	found, last := in.findTextLetter(word)
	switch {
	case found && (in.shell || last):
		place = textFollows
	case found:
		return textAttached, 0
	}
	if strings.IndexByte(in.wordLetters, word[len(word)-1]) >= 0 {
		taken = 1 // bash -eo pipefail
	}
	return place, taken
}

// skipsOperands says whether options may follow other words: su USER -c TEXT.
func (in *interpreter) skipsOperands() bool { return slices.Contains(in.names, "su") }

// isOption says whether a word is one or more options. The words - and -- are none.
func isOption(word string) bool {
	return len(word) > 1 && (word[0] == '-' || word[0] == '+') && word != "--"
}

// findTextLetter says whether a word of one-letter options, such as -lc, holds one of the textLetters, and
// whether only such letters follow it. A character that is no letter and no digit ends the options of a word,
// and so does an option that takes the rest of the word: -Iinclude does not hold the option c.
func (in *interpreter) findTextLetter(word string) (found, last bool) {
	for i := 1; i < len(word); i++ {
		switch {
		case strings.IndexByte(in.textLetters, word[i]) >= 0:
			return true, strings.Trim(word[i+1:], in.textLetters) == "" // node -pe TEXT
		case strings.IndexByte(in.wordLetters, word[i]) >= 0 && !in.shell:
			return false, false
		case !hparams.IsLetter(word[i]) && !hparams.IsDigit(word[i]):
			return false, false
		}
	}
	return false, false
}
