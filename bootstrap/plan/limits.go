package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// maxWord is the greatest length in bytes of an argument or a variable of execve(2): MAX_ARG_STRLEN is 32
// pages of 4 KiB and includes the final NUL.
const maxWord = 32*4096 - 1

const wordHint = "keep it in a file of a channel and pass the path, " +
	"or use --hp-file with --args-style none and --env-style none"

// The parts of the messages that several checks use.
const (
	holdsNUL       = "%s would hold a NUL character, which no program can be given"
	holdsSurrogate = "%s would hold half of a surrogate pair, which is no text"
	atMost         = "the kernel takes at most %d"
)

// checkLimits reports what execve(2) refuses with E2BIG or cuts at a NUL. It names the hyperparameter that
// causes the problem. args are the last words of the command, vars are variables in its environment.
func checkLimits(
	job *contract.Job, snap *contract.Snapshot, c Command, args []hparams.Arg, vars []contract.Var,
) []contract.Problem {
	l := &limits{
		job: job, at: contract.NewParamReport(job, snap), size: map[string]int{}, reported: map[string]bool{},
	}
	for _, a := range args {
		for _, word := range a.Words {
			l.checkParamWord(a.Name, "its flag", word)
		}
	}
	for _, v := range vars {
		if v.Param != "" {
			l.checkParamWord(v.Param, "its variable "+hparams.Quote(v.Name), v.Name+"="+v.Value)
		}
	}
	for _, v := range vars {
		if v.Param == "" {
			l.checkCommonWord("the variable "+v.Name, v.Name+"="+v.Value)
		}
	}
	for i, word := range c.Argv[:len(c.Argv)-len(argWords(args))] {
		l.checkCommonWord(fmt.Sprintf("word %d of the command", i+1), word)
	}
	total := len(c.Argv[0]) + 1
	for _, word := range append(c.Argv, c.Env...) {
		total += len(word) + 1 + 8 // the word, its NUL, and a pointer to it
	}
	if snap.ArgMax > 0 && total > snap.ArgMax {
		l.report(l.largestParam(), "arguments and environment have %d bytes together "+
			"and it is the largest part, "+atMost, total, snap.ArgMax)
	}
	return l.problems
}

type limits struct {
	job      *contract.Job
	at       *contract.ParamReport
	size     map[string]int // the bytes that each hyperparameter adds, by its name
	reported map[string]bool
	problems []contract.Problem
}

// checkParamWord checks a word that one hyperparameter makes.
func (l *limits) checkParamWord(param, what, word string) {
	l.size[param] += len(word)
	switch {
	case len(word) > maxWord:
		l.report(param, "%s is %d bytes long, "+atMost, what, len(word), maxWord)
	case strings.ContainsRune(word, 0):
		l.report(param, holdsNUL, what)
	case hparams.HasSurrogate(word):
		l.report(param, holdsSurrogate, what)
	}
}

// checkCommonWord checks a word that may hold many hyperparameters. If it is too long, the report names the
// largest hyperparameter.
func (l *limits) checkCommonWord(what, word string) {
	switch {
	case len(word) > maxWord:
		l.report(l.largestParam(), "it makes %s %d bytes long, "+atMost, what, len(word), maxWord)
	case strings.ContainsRune(word, 0):
		l.report(l.paramWith(func(s string) bool { return strings.ContainsRune(s, 0) }), holdsNUL, what)
	case hparams.HasSurrogate(word):
		l.report(l.paramWith(hparams.HasSurrogate), holdsSurrogate, what)
	}
}

// paramWith returns the first hyperparameter whose text is such, and the empty text if none is.
func (l *limits) paramWith(isSuch func(string) bool) string {
	i := slices.IndexFunc(l.job.Params, func(p hparams.Param) bool { return isSuch(p.Value.Text) })
	if i < 0 {
		return ""
	}
	return l.job.Params[i].Name
}

// report adds a problem, unless the same hyperparameter has one already. param is empty if no hyperparameter
// is the cause.
func (l *limits) report(param, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	key := cmp.Or(param, message)
	if l.reported[key] {
		return
	}
	l.reported[key] = true
	if param == "" {
		l.problems = append(l.problems, contract.Problem{File: "the trainer's start", Message: message})
		return
	}
	l.problems = append(l.problems, l.at.Problem(param, wordHint, message))
}

// largestParam is the name of the hyperparameter that adds most bytes. Of equal ones it is the first in the
// file.
func (l *limits) largestParam() string {
	name, most := "", 0
	for _, p := range l.job.Params {
		if n := l.size[p.Name] + len(p.Raw.Text); n > most {
			name, most = p.Name, n
		}
	}
	return name
}
