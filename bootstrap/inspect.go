package bootstrap

import (
	"context"
	"slices"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/world"
	"entrain/contract"
)

// Request says what to look at.
type Request struct {
	Root    string   // the contract's directory
	Env     []string // KEY=VALUE
	Spec    string   // the algorithm's specification; empty for the image's own if it has one, NoSpec for none
	Options plan.Options
	Scope   plan.Scope
	// Elsewhere says that the contract is only looked at, perhaps on another machine than the job's. What is
	// wrong with the data or with the network interfaces is then a warning.
	Elsewhere bool
	// Slow is called when the machine has kept one of its paths for a while without an answer, with the path and
	// the time so far. It may be nil.
	Slow func(path string, elapsed time.Duration)
	// Start asks for what would keep the trainer from starting.
	Start bool
	// Algorithm asks for what CreateAlgorithm would refuse in the specification.
	Algorithm bool
}

// Inspection is the contract as it was found.
type Inspection struct {
	Job      *contract.Job // nil where the contract is invalid
	Snapshot *contract.Snapshot
	Problems []Problem // never nil

	secrets contract.Secrets
}

// Inspect photographs the world once and checks the contract in it, and from ScopeTrainer on what a trainer
// needs.
func Inspect(ctx context.Context, r Request) *Inspection {
	look, end := watchLooks(r.Slow)
	ask := func(files *contract.Snapshot) contract.Questions { return plan.Questions(files, r.Options, r.Scope) }
	snap := world.Photograph(ctx, r.Root, r.Env, r.Spec, look, ask)
	end() // the machine has answered, however long the checks take
	job, problems := contract.Load(snap)
	in := &Inspection{Job: job, Snapshot: snap, secrets: contract.SecretsOf(snap, r.Options.Command...)}
	in.Problems = slices.Concat([]Problem{}, problems, plan.CheckKey(job, snap))
	if job != nil && r.Scope >= plan.ScopeTrainer {
		local := slices.Concat(contract.CheckData(job, snap), plan.CheckInterface(job, snap, r.Options))
		for i := range local {
			local[i].Warning = local[i].Warning || r.Elsewhere
		}
		in.Problems = slices.Concat(in.Problems, local, plan.Check(job, snap, r.Options))
	}
	if r.Start {
		in.Problems = append(in.Problems, in.checkStart(r.Options)...)
	}
	if r.Algorithm {
		in.Problems = append(in.Problems, contract.CheckAlgorithm(snap)...)
	}
	in.Problems = contract.Limit(in.Problems)
	return in
}

// Mask is a text without the secrets of the contract and the environment.
func (in *Inspection) Mask(text string) string { return in.secrets.Mask(text) }

// Host is the name of this host, as far as the contract can be read; empty where it cannot.
func (in *Inspection) Host() string {
	job := in.Job
	if job == nil {
		job = contract.Identify(in.Snapshot)
	}
	if job == nil {
		return ""
	}
	return job.Host
}

// Err is a *contract.InvalidError unless a job can run.
func (in *Inspection) Err() error {
	if len(contract.Errors(in.Problems)) == 0 {
		return nil
	}
	return &contract.InvalidError{Problems: in.Problems}
}

// Plan decides what to do with a valid contract.
func (in *Inspection) Plan(o plan.Options) (*plan.Plan, error) {
	return plan.Decide(in.Job, in.Snapshot, o)
}

// WaitPlan is the Plan of a host that only waits for the others.
func (in *Inspection) WaitPlan(o plan.Options) (*plan.Plan, error) {
	return plan.DecideWait(in.Job, in.Snapshot, o)
}

// Stream decides how a channel is streamed. It returns a *contract.InvalidError for a channel that cannot be
// read.
func (in *Inspection) Stream(channel string, p plan.Pipe) (*plan.Stream, error) {
	s, err := plan.DecideStream(in.Job, channel, p)
	if err != nil {
		return nil, err
	}
	c, _ := in.Job.Channel(channel)
	problems := contract.CheckChannel(in.Job, in.Snapshot, c)
	if len(contract.Errors(problems)) > 0 {
		return nil, &contract.InvalidError{Problems: problems}
	}
	for _, warning := range problems {
		s.Warnings = append(s.Warnings, warning.String())
	}
	return s, nil
}

// Hostfile is a hostfile for the job: see plan.Hostfile.
func (in *Inspection) Hostfile(format string, slots int, addresses map[string]string) (string, error) {
	return plan.Hostfile(in.Job, in.Snapshot, format, slots, addresses)
}

// Spec is a first specification of the job's algorithm, as JSON for people to go on with.
func (in *Inspection) Spec() string { return plan.Spec(in.Job) }
