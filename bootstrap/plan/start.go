package plan

import (
	"errors"

	"entrain/contract"
)

// CheckStart reports a command that cannot be read and a launcher that cannot be used: without touching
// anything, what Decide would say of them. A job may name no command. The plan is nil unless there is a
// program to look for.
func CheckStart(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, []contract.Problem) {
	_, err := (&Plan{}).findCommand(job, snap, o)
	if errors.Is(err, errNoCommand) {
		return nil, nil
	}
	if err != nil {
		return nil, []contract.Problem{{File: "the command", Message: err.Error()}}
	}
	p, err := Decide(job, snap, o)
	var problems []contract.Problem
	if e, ok := errors.AsType[*LauncherError](err); ok {
		problems = []contract.Problem{{File: e.Program, Message: e.Problem, Hint: e.Hint}}
	}
	if p != nil && (p.Source != nil || p.Launch != nil && !p.Together.IsMember()) {
		p = nil // the program comes with the archive, or other hosts start it
	}
	return p, problems
}
