package contract

import "entrain/hparams"

// ParamReport makes problems about hyperparameters, with their places. It serves other packages, which find
// out only when they use the values. It reads the file once for all of them.
type ParamReport struct {
	document  document
	positions map[string]int // where the value of each hyperparameter stands, by its name
}

// NewParamReport returns the report of a job.
func NewParamReport(j *Job, s *Snapshot) *ParamReport {
	r := &ParamReport{document: *configDocument(s, HyperparametersFile, nil), positions: map[string]int{}}
	for _, p := range j.Params {
		r.positions[p.Name] = p.Raw.Pos
	}
	return r
}

// Problem makes an error about one hyperparameter.
func (r *ParamReport) Problem(name, hint, message string) Problem {
	var problems []Problem
	r.document.problems = &problems
	pos, known := r.positions[name]
	if !known {
		pos = nowhere
	}
	r.document.fail(pos, hint, "hyperparameter %s: %s", hparams.Quote(name), message)
	return problems[0]
}

// ParamProblem makes an error about the only hyperparameter that has one.
func ParamProblem(j *Job, s *Snapshot, name, hint, message string) Problem {
	return NewParamReport(j, s).Problem(name, hint, message)
}
