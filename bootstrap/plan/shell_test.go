package plan

import (
	"strings"
	"testing"
)

// checkHint checks the hint of the warning about a command. An empty hint means no warning.
func checkHint(t *testing.T, hint string, words ...string) {
	t.Helper()
	job := photographJob(t, `{"lr":"1"}`, alone).Job
	var got string
	for _, p := range checkShellText(job, words, options()) {
		got = p.Hint
	}
	if hint == "" && got != "" || !strings.HasPrefix(got, hint) {
		t.Errorf("%q: %q, want %q", words, got, hint)
	}
	o := options()
	o.ArgsStyle = "none"
	without := photographJob(t, `{}`, alone).Job
	if len(checkShellText(job, words, o)) > 0 || len(checkShellText(without, words, options())) > 0 {
		t.Errorf("%q: a warning, but no hyperparameter to lose", words)
	}
}

func TestAShellTextThatIgnoresTheHyperparametersIsPointedOut(t *testing.T) {
	const putAfterProgram = `put "$@" behind the program in the text, and the word sh behind the text, or`
	for text, hint := range map[string]string{
		"python3 train.py":                        `sh -c 'exec python3 train.py "$@"' sh, or`,
		"cd x && python3 train.py;":               `sh -c 'cd x && python3 train.py "$@"' sh, or`,
		"exec python3 train.py":                   `sh -c 'exec python3 train.py "$@"' sh, or`,
		"A=1 python3 train.py":                    `sh -c 'A=1 python3 train.py "$@"' sh, or`,
		"for i in 1 2; do python3 train.py; done": putAfterProgram,
		"python3 train.py | tee log":              putAfterProgram,
		"python3 train.py &":                      putAfterProgram,
		" ":                                       putAfterProgram,
		`python3 train.py "$@"`:                   `sh -c 'python3 train.py "$@"' sh, or`,
		`for a in "${@}"; do echo $a; done | cat`: `sh -c 'for a in "${@}"; do echo $a; done | cat' sh, or`,
		`python3 train.py "$0" "$@"`:              "",
		`python3 train.py ${1}`:                   "",
		`echo $1`:                                 "",
		`python3 train.py --lr $SM_HP_LR`:         "",
		`while getopts l: x; do :; done`:          "",
	} {
		checkHint(t, hint, "sh", "-c", text)
	}
	checkHint(t, `bash -lc 'exec python3 train.py "$@"' bash, or`, "bash", "-lc", "exec python3 train.py", "me")
	checkHint(t, "", "sh", "-c", `python3 train.py "$@"`, "sh")
	checkHint(t, "", "sh", "-c", `python3 train.py $*`, "sh")
}

func TestTheTextOfEveryPOSIXShellIsChecked(t *testing.T) {
	for command, hint := range map[string]string{
		"ash -c TEXT":                       "ash -c EXEC ash, or",
		"mksh -c TEXT":                      "mksh -c EXEC mksh, or",
		"bash-5.2 -c TEXT":                  "bash-5.2 -c EXEC bash-5.2, or",
		"/bin/bash -euo pipefail -c TEXT":   "/bin/bash -euo pipefail -c EXEC bash, or",
		"bash -cO extglob TEXT":             "bash -cO extglob EXEC bash, or",
		"sh -c -- TEXT":                     "sh -c -- EXEC sh, or",
		"sh -c - TEXT":                      "sh -c - EXEC sh, or",
		"env A=1 sh -c TEXT":                "env A=1 sh -c EXEC sh, or",
		"/usr/bin/timeout 60 bash -lc TEXT": "/usr/bin/timeout 60 bash -lc EXEC bash, or",
		"fish -c TEXT":                      "",
		"env A=1 python3 train.py":          "",
		"python3 train.py sh -c x":          "",
		"python3 -c print()":                "",
		"sh train.sh":                       "",
		"sh train.sh -c x":                  "",
		"sh train.sh sh -c x":               "",
		"sh":                                "",
		"sh -c":                             "",
		"":                                  "",
	} {
		words := strings.Fields(command)
		for i, word := range words {
			words[i] = strings.Replace(word, "TEXT", "python3 train.py", 1)
		}
		checkHint(t, strings.Replace(hint, "EXEC", `'exec python3 train.py "$@"'`, 1), words...)
	}
	checkHint(t, "", "env", "A=1", "sh", "-c", `python3 train.py "$@"`, "sh")
}
