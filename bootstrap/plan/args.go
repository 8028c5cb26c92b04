package plan

import (
	"entrain/contract"
	"entrain/hparams"
)

// checkFalse warns of each false that adds no flag: a parser whose default is true would keep true.
func checkFalse(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	if o.ArgsStyle != hparams.StyleGNU {
		return nil
	}
	var problems []contract.Problem
	for _, p := range job.Params.User() {
		if o.GNU.LeavesOutFalse(p) {
			warning := contract.ParamProblem(job, snap, p.Name,
				"--gnu-bool value writes =false behind the flag's name, and --gnu-bool no writes --no- in front of it",
				"a false adds no flag, so a parser whose default is true keeps true")
			warning.Warning = true
			problems = append(problems, warning)
		}
	}
	return problems
}
