package plan

import (
	"cmp"
	"errors"
	"slices"

	"entrain/contract"
	"entrain/hparams"
)

// checkValues reports the hyperparameters that cannot be passed on: those that the style or the file's format
// cannot express, what the kernel refuses, and mistakes in those of MPI if MPI starts the trainer. words are
// those of the user's command, without the variables in them.
func checkValues(job *contract.Job, snap *contract.Snapshot, o Options, words []string) []contract.Problem {
	args, err := hparams.Args(o.ArgsStyle, job.Params, o.GNU)
	problems := append(paramProblems(job, snap, err), checkSharedFlags(job, snap, args, o)...)
	if o.HPFile != "" {
		_, err := hpFile(job, o)
		problems = append(problems, paramProblems(job, snap, err)...)
	}
	vars := contract.Env(job, snap, o.EnvStyle, argWords(args))
	argv := slices.Concat([]string{""}, words, argWords(args))
	command := Command{Argv: argv, Env: environment(snap, vars)}
	problems = append(problems, checkLimits(job, snap, command, args, vars)...)
	problems = append(problems, checkSlots(job, snap, o)...)
	if WantsMPI(job, o) && slices.Contains(job.Together(), job.Host) {
		_, _, err = launchParams(job)
		problems = append(problems, paramProblems(job, snap, err)...)
	}
	return problems
}

// checkSharedFlags warns of a hyperparameter that becomes the flag of another one: a parser keeps one value,
// or counts the flag twice.
func checkSharedFlags(
	job *contract.Job, snap *contract.Snapshot, args []hparams.Arg, o Options,
) []contract.Problem {
	if o.ArgsStyle != hparams.StyleGNU {
		return nil
	}
	var problems []contract.Problem
	report, owner := contract.NewParamReport(job, snap), map[string]string{}
	for _, arg := range args {
		for _, flag := range slices.Compact(arg.Flags()) {
			first, taken := owner[flag]
			if !taken {
				owner[flag] = arg.Name
			} else if first != arg.Name {
				warning := report.Problem(arg.Name, "rename one of them",
					"it becomes the flag "+hparams.Quote(flag)+
						", which hyperparameter "+hparams.Quote(first)+" becomes too")
				warning.Warning = true
				problems = append(problems, warning)
			}
		}
	}
	return problems
}

// checkSlots reports a mistake in the job's number of ranks. It is a warning if the job starts no ranks.
func checkSlots(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	_, err := TogetherOf(job, o.Slots)
	e, ok := errors.AsType[*contract.InvalidError](placeSlotsError(job, snap, err))
	if !ok {
		return nil
	}
	if !startsRanks(job, o) {
		e.Problems[0].Warning = true
		e.Problems[0].Message += "; this job starts no ranks, so it does not count"
	}
	return e.Problems
}

// hpFile returns the content of the file for the hyperparameters.
func hpFile(job *contract.Job, o Options) ([]byte, error) {
	return hparams.File(cmp.Or(o.HPFormat, hparams.FormatOf(o.HPFile)), job.Params.User())
}

// checkFalse warns of each false that adds no flag: a parser whose default is true would keep true.
func checkFalse(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	if o.ArgsStyle != hparams.StyleGNU {
		return nil
	}
	var problems []contract.Problem
	report := contract.NewParamReport(job, snap)
	hint := "--gnu-bool value writes =false behind the flag's name, " +
		"and --gnu-bool no writes --no- in front of it"
	for _, p := range job.Params.User() {
		if o.GNU.LeavesOutFalse(p) {
			warning := report.Problem(p.Name, hint,
				"a false adds no flag, so a parser whose default is true keeps true")
			warning.Warning = true
			hint = "" // once is enough
			problems = append(problems, warning)
		}
	}
	return problems
}
