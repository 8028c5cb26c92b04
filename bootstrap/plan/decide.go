package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// Decide makes the Plan of a job. It returns a *UsageError if the command or an option is wrong, a
// *contract.InvalidError if a hyperparameter cannot be passed on, and a *LauncherError if the launcher cannot
// be used.
func Decide(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, error) {
	secrets := contract.SecretsOf(snap, o.Command...)
	if o.Mask {
		job, snap = job.Masked(), maskSnapshot(snap)
	}
	plan, err := decidePlan(job, snap, o)
	if plan != nil {
		plan.secrets = secrets
	}
	if plan != nil && o.Mask {
		plan.maskSecrets()
	}
	return plan, err
}

// decidePlan makes the Plan, without its secrets.
func decidePlan(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, error) {
	args, err := hparams.Args(o.ArgsStyle, job.Params, o.GNU)
	if err != nil {
		return nil, invalidParams(job, snap, err)
	}
	vars := contract.Env(job, snap, o.EnvStyle, argWords(args))
	plan := &Plan{
		Host:    job.Host,
		Role:    roleOf(job),
		Added:   len(vars),
		Failure: job.Dir("output/failure"),
		Model:   job.Dir("model"),
		Command: Command{Env: environment(snap, vars), Dir: snap.Dir},
		Wait:    decideWait(job, o),
		End:     o.End,
	}
	if plan.Rendezvous, err = decideRendezvous(job, snap, o); err != nil {
		return nil, err
	}
	if plan.Together, err = o.together(job, snap); err != nil {
		return nil, err
	}
	if plan.Rendezvous != nil {
		plan.Rendezvous.Table = !plan.Together.Met
	}
	plan.addVariables(slices.Concat(networkVariables(job, snap), plan.Together.addressVariables(),
		tensorFlowVariables(job, o, plan.Together)))
	plan.addTogether(job, snap)
	if err := plan.decideStreams(job, snap, o); err != nil {
		return nil, err
	}
	if err := plan.decideRestarts(job, o); err != nil {
		return nil, err
	}
	if o.HPFile != "" {
		data, err := hpFile(job, o)
		if err != nil {
			return nil, invalidParams(job, snap, err)
		}
		plan.Files = append(plan.Files, File{Path: absolute(snap.Dir, o.HPFile), Data: data, Mode: 0o644})
	}
	words, err := plan.decideCommand(job, snap, o)
	if err != nil {
		return nil, err
	}
	plan.words, plan.args = words, argWords(args)
	plan.Command.Argv = append(plan.Command.Argv, plan.args...)
	if problems := checkLimits(job, snap, plan.Command, args, vars); len(problems) > 0 {
		return nil, invalid(problems...)
	}
	return plan, errors.Join(plan.decideLaunch(job, snap, o), plan.decideUntil(o))
}

func roleOf(job *contract.Job) Role {
	if job.Host == job.Leader() {
		return Leader
	}
	return Worker
}

// decideWait says whom to wait for: for all hosts, this one included, because peers and trainer use its name.
// A host alone needs no name.
func decideWait(job *contract.Job, o Options) Wait {
	w := Wait{Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly}
	if len(job.Hosts) > 1 {
		w.Hosts = job.Order()
	}
	return w
}

// Hostfile is a hostfile for the job in a format of HostfileFormats; slots 0 leaves the count to the job. The
// addresses stand for the names of the hosts; none leaves the names.
func Hostfile(
	job *contract.Job, snap *contract.Snapshot, format string, slots int, addresses map[string]string,
) (string, error) {
	together, err := TogetherOf(job, slots)
	if err != nil {
		return "", placeSlotsError(job, snap, err)
	}
	for i, h := range together.Hosts {
		together.Hosts[i].Name = cmp.Or(addresses[h.Name], h.Name)
	}
	return mpi.Hostfile(mpi.Format(format), together.Hosts)
}

// HostfileWait says whose addresses a hostfile needs, and how long to wait for them.
func HostfileWait(job *contract.Job, o Options) Wait {
	return Wait{Hosts: job.Together(), Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly}
}

// NeedsAddresses says whether a format of HostfileFormats takes no names.
func NeedsAddresses(format string) bool { return mpi.Format(format) == mpi.LightGBM }

// Spec is a first specification of the job's algorithm, as JSON for people to go on with.
func Spec(job *contract.Job) string {
	var b bytes.Buffer
	spec := hparams.JSON(contract.SpecOf(job), hparams.PlainJSON())
	_ = json.Indent(&b, []byte(spec), "", "  ") // what hparams writes is JSON
	return b.String() + "\n"
}

func invalid(problems ...contract.Problem) error { return &contract.InvalidError{Problems: problems} }

// invalidParams gives each hyperparameter that a style or a format cannot express its place in the file.
func invalidParams(job *contract.Job, snap *contract.Snapshot, err error) error {
	return invalid(paramProblems(job, snap, err)...)
}

// paramProblems returns a problem for each of the errors that err joins, and none for nil.
func paramProblems(job *contract.Job, snap *contract.Snapshot, err error) []contract.Problem {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var problems []contract.Problem
	if err == nil {
		return nil
	}
	report := contract.NewParamReport(job, snap)
	for _, err := range list {
		if p, ok := errors.AsType[*hparams.ParamError](err); ok {
			problems = append(problems, report.Problem(p.Name, "", p.Msg))
			continue
		}
		problems = append(problems, contract.Problem{File: contract.HyperparametersFile, Message: err.Error()})
	}
	return problems
}

// absolute returns the absolute path of file, which is relative to dir. run writes files after it has left
// the directory in which it was started.
func absolute(dir, file string) string {
	if path.IsAbs(file) {
		return file
	}
	return path.Join(dir, file)
}

func argWords(args []hparams.Arg) []string {
	var words []string
	for _, a := range args {
		words = append(words, a.Words...)
	}
	return words
}

// environment returns the container's environment, in its order and with its duplicates, and then the job's
// variables, which replace variables of the same name. The cluster key is left out.
func environment(snap *contract.Snapshot, vars []contract.Var) []string {
	added := make(map[string]bool, len(vars))
	for _, v := range vars {
		added[v.Name] = true
	}
	env := make([]string, 0, len(snap.Env)+len(vars))
	for _, kv := range snap.Env {
		name, _, _ := strings.Cut(kv, "=")
		if !added[name] && name != KeyVariable {
			env = append(env, kv)
		}
	}
	for _, v := range vars {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}
