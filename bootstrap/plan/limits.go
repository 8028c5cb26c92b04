package plan

import (
	"cmp"
	"fmt"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// maxWord is the longest argument or variable that execve(2) takes, in bytes: MAX_ARG_STRLEN is 32 pages of 4 KiB
// and counts the final NUL.
const maxWord = 32*4096 - 1

const wordHint = "keep it in a file of a channel and pass the path, or use --hp-file with --args-style none and --env-style none"

// checkLimits finds what execve(2) would refuse with E2BIG or cut short, and names the hyperparameter behind it.
func checkLimits(job *contract.Job, snap *contract.Snapshot, c Command, args []hparams.Arg, vars []contract.Var) []contract.Problem {
	l := &limits{job: job, snap: snap, size: map[string]int{}, reported: map[string]bool{}}
	for _, a := range args {
		for _, word := range a.Words {
			l.check(a.Name, "its flag", word)
		}
	}
	for _, v := range vars {
		if v.Param != "" {
			l.check(v.Param, "its variable "+hparams.Quote(v.Name), v.Name+"="+v.Value)
		}
	}
	for _, v := range vars {
		if v.Param == "" {
			l.checkWhole("the variable "+v.Name, v.Name+"="+v.Value)
		}
	}
	for i, word := range c.Argv[:len(c.Argv)-len(argWords(args))] {
		l.checkWhole(fmt.Sprintf("word %d of the command", i+1), word)
	}
	total := len(c.Argv[0]) + 1
	for _, word := range append(c.Argv, c.Env...) {
		total += len(word) + 1 + 8 // and a pointer each
	}
	if snap.ArgMax > 0 && total > snap.ArgMax {
		l.report(l.largest(), "arguments and environment have %d bytes together and it is the largest part, the kernel takes at most %d", total, snap.ArgMax)
	}
	return l.problems
}

type limits struct {
	job      *contract.Job
	snap     *contract.Snapshot
	size     map[string]int // bytes that each hyperparameter adds
	reported map[string]bool
	problems []contract.Problem
}

func (l *limits) check(param, what, word string) {
	l.size[param] += len(word)
	switch {
	case len(word) > maxWord:
		l.report(param, "%s is %d bytes long, the kernel takes at most %d", what, len(word), maxWord)
	case strings.ContainsRune(word, 0):
		l.report(param, "%s would hold a NUL character, which no program can be given", what)
	case hparams.HasSurrogate(word):
		l.report(param, "%s would hold half of a surrogate pair, which is no text", what)
	}
}

// checkWhole is check for what no single hyperparameter makes: of a long one the largest is named.
func (l *limits) checkWhole(what, word string) {
	switch {
	case len(word) > maxWord:
		l.report(l.largest(), "it makes %s %d bytes long, the kernel takes at most %d", what, len(word), maxWord)
	case strings.ContainsRune(word, 0):
		l.report("", "%s would hold a NUL character, which no program can be given", what)
	case hparams.HasSurrogate(word):
		l.report("", "%s would hold half of a surrogate pair, which is no text", what)
	}
}

// report adds one problem a hyperparameter: the first says enough.
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
	l.problems = append(l.problems, contract.ParamProblem(l.job, l.snap, param, wordHint, message))
}

// largest is the hyperparameter that adds most; the first in the file of equal ones.
func (l *limits) largest() string {
	name, most := "", 0
	for _, p := range l.job.Params {
		if n := l.size[p.Name] + len(p.Raw.Text); n > most {
			name, most = p.Name, n
		}
	}
	return name
}
