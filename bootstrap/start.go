package bootstrap

import (
	"strings"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/proc"
)

// checkStart reports what would keep the trainer from starting on a machine like this one.
func (in *Inspection) checkStart(o plan.Options) []Problem {
	if in.Job == nil || in.Err() != nil {
		return nil
	}
	p, problems := plan.CheckStart(in.Job, in.Snapshot, o)
	if p == nil || strings.Contains(p.Command.Argv[0], "${") { // each rank has another program
		return problems
	}
	err := proc.CheckStart(proc.Cmd{Argv: p.Command.Argv, Env: p.Command.Env, Dir: p.Command.Dir})
	if err == nil {
		return problems
	}
	message := in.Mask(err.Program) + ": " + err.Err.Error()
	return append(problems, contract.Problem{File: "the command", Message: message, Hint: err.Hint})
}
