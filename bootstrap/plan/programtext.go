package plan

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// interpreter is a program that takes program text as one of its words.
type interpreter struct {
	names   []string // the last part of its path, without a version
	letters string   // the options that say "program text follows", such as the c of sh -c
	long    []string // the long ones
	// shell says that the text is the word behind all options (sh -c -e TEXT), not the word behind the option.
	shell bool
	posix bool   // a shell that reads "$@" and $0 as POSIX says
	takes string // other one-letter options that take a word of their own
}

func interpreters() []interpreter {
	return []interpreter{
		{
			names:   []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "rbash"},
			letters: "c", shell: true, posix: true, takes: "oO",
		},
		{names: []string{"fish", "csh", "tcsh"}, letters: "c", long: []string{"--command"}, shell: true, takes: "oO"},
		{names: []string{"su", "runuser", "script", "flock"}, letters: "c", long: []string{"--command", "--session-command"}},
		{names: []string{"python", "pypy"}, letters: "c", takes: "WX"},
		{names: []string{"perl"}, letters: "eE", takes: "IMm"},
		{names: []string{"ruby"}, letters: "e", takes: "ICr"},
		{names: []string{"node", "nodejs", "bun"}, letters: "ep", long: []string{"--eval", "--print"}, takes: "rC"},
		{names: []string{"Rscript", "R"}, letters: "e"},
		{names: []string{"julia"}, letters: "eE", long: []string{"--eval", "--print"}},
		{names: []string{"lua", "luajit"}, letters: "e"},
		{names: []string{"php"}, letters: "r"},
		{names: []string{"env"}, letters: "S", long: []string{"--split-string"}, takes: "uC"},
	}
}

// programTexts says which words of a command are the program text of an interpreter, such as the word behind the -c
// of a shell, wherever that stands: "env A=b sh -c TEXT" and "timeout 60 bash -lc TEXT" have one. No variable is put
// into such a word: the interpreter reads the variables itself, and a value must not become a part of its program.
func programTexts(words []string) []bool {
	texts := make([]bool, len(words))
	known := interpreters()
	for i, word := range words {
		if in := find(known, word); in != nil {
			in.mark(words[i+1:], texts[i+1:])
		}
	}
	return texts
}

// find is the interpreter that a program's name or path stands for, nil for none.
func find(known []interpreter, program string) *interpreter {
	name := strings.TrimRight(path.Base(program), "0123456789.-")
	for i, in := range known {
		if slices.Contains(in.names, name) {
			return &known[i]
		}
	}
	return nil
}

// mark marks the program texts among the words behind an interpreter's name.
func (in *interpreter) mark(words []string, texts []bool) {
	asked := false // an option has said that the first word behind the options is the text
	for i := 0; i < len(words); i++ {
		if !isOption(words[i]) {
			in.markOperand(words[i:], texts[i:], asked)
			if in.skipsOperands() {
				continue
			}
			return // what follows is the program's own
		}
		text, taken := in.option(words[i])
		switch {
		case text == textAttached:
			texts[i] = true
		case text == textFollows && in.shell:
			asked = true
		case text == textFollows && i+1 < len(words):
			texts[i+1] = true
			taken = 1
		}
		i += taken
	}
}

// markOperand marks the first word behind the options, which may end with -- and, for a shell, with -.
func (in *interpreter) markOperand(words []string, texts []bool, asked bool) {
	if words[0] == "--" || in.shell && words[0] == "-" {
		words, texts = words[1:], texts[1:]
	}
	if asked && len(words) > 0 {
		texts[0] = true
	}
}

// place is where an option has its program text.
type place int

const (
	textNowhere  place = iota
	textAttached       // in the option's own word: perl -e'print 1', --eval=TEXT
	textFollows        // in another word
)

// option says where an option has its program text, and how many words it takes for something else.
func (in *interpreter) option(word string) (text place, taken int) {
	if strings.HasPrefix(word, "--") {
		name, _, assigned := strings.Cut(word, "=")
		switch {
		case !slices.Contains(in.long, name):
			return textNowhere, 0
		case assigned:
			return textAttached, 0
		}
		return textFollows, 0
	}
	found, last := in.letter(word)
	switch {
	case found && (in.shell || last):
		text = textFollows
	case found:
		return textAttached, 0
	}
	if strings.IndexByte(in.takes, word[len(word)-1]) >= 0 {
		taken = 1 // bash -eo pipefail
	}
	return text, taken
}

// skipsOperands says whether the option may come behind words that are no options: su USER -c TEXT.
func (in *interpreter) skipsOperands() bool { return slices.Contains(in.names, "su") }

// isOption says whether a word is one or more options. The words - and -- are none.
func isOption(word string) bool {
	return len(word) > 1 && (word[0] == '-' || word[0] == '+') && word != "--"
}

// letter says whether a word such as -lc holds one of the letters, and whether that is the last one. What is no letter
// ends the options of a word: -Iinclude is none of -c.
func (in *interpreter) letter(word string) (found, last bool) {
	for i := 1; i < len(word); i++ {
		switch {
		case strings.IndexByte(in.letters, word[i]) >= 0:
			return true, strings.Trim(word[i+1:], in.letters) == "" // node -pe TEXT
		case strings.IndexByte(in.takes, word[i]) >= 0 && !in.shell, !hparams.IsLetter(word[i]) && !hparams.IsDigit(word[i]):
			return false, false // the rest is that option's own word
		}
	}
	return false, false
}
