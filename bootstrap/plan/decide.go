package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// Decide makes the Plan of a job. Errors are a *UsageError for the command, and a *contract.InvalidError for
// hyperparameters that no command line can carry.
func Decide(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, error) {
	secrets := contract.SecretsOf(snap, o.Command...)
	if o.Mask {
		job, snap = job.Masked(), maskSnapshot(snap)
	}
	plan, err := decide(job, snap, o)
	if plan != nil {
		plan.secrets = secrets
	}
	if plan != nil && o.Mask {
		plan.hide()
	}
	return plan, err
}

func decide(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, error) {
	args, err := hparams.Args(o.ArgsStyle, job.Params, o.NegateFalse)
	if err != nil {
		return nil, unfitParams(job, snap, err)
	}
	vars := contract.Env(job, snap, o.EnvStyle, argWords(args))
	plan := &Plan{
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
	if o.Stdin != "" {
		if plan.Stdin, err = DecideStream(job, o.Stdin, o.Pipe); err != nil {
			return nil, err
		}
	}
	if o.HPFile != "" {
		data, err := hparams.File(cmp.Or(o.HPFormat, hparams.FormatOf(o.HPFile)), job.Params.User())
		if err != nil {
			return nil, unfitParams(job, snap, err)
		}
		plan.Files = append(plan.Files, File{Path: fromDir(snap.Dir, o.HPFile), Data: data, Mode: 0o644})
	}
	words, err := plan.decideCommand(job, snap, o)
	if err != nil {
		return nil, err
	}
	plan.Command.Argv = append(plan.Command.Argv, argWords(args)...)
	if problems := checkLimits(job, snap, plan.Command, args, vars); len(problems) > 0 {
		return nil, unfit(problems...)
	}
	return plan, plan.decideLaunch(job, snap, o, words, argWords(args))
}

func roleOf(job *contract.Job) Role {
	if job.Host == job.Leader() {
		return Leader
	}
	return Worker
}

// decideWait says whom to wait for: all hosts, this one too, since peers and trainer use its name; a host alone
// needs no name.
func decideWait(job *contract.Job, o Options) Wait {
	w := Wait{Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly}
	if len(job.Hosts) > 1 {
		w.Hosts = job.Order()
	}
	return w
}

// Hosts are the hosts that train together and the ranks on each; slots 0 leaves the count to the job.
func Hosts(job *contract.Job, slots int) ([]mpi.Host, error) {
	n, err := decideSlots(job, slots)
	names := job.Together()
	list := make([]mpi.Host, len(names))
	for i, name := range names {
		list[i] = mpi.Host{Name: name, Slots: n}
	}
	return list, err
}

// Hostfile is a hostfile for the job in a format of HostfileFormats; slots 0 leaves the count to the job.
func Hostfile(job *contract.Job, format string, slots int) (string, error) {
	hosts, err := Hosts(job, slots)
	if err != nil {
		return "", err
	}
	return mpi.Hostfile(mpi.Format(format), hosts)
}

// Spec is a first specification of the job's algorithm, as JSON for people to go on with.
func Spec(job *contract.Job) string {
	var b bytes.Buffer
	spec := hparams.JSON(contract.SpecOf(job), hparams.PlainJSON())
	_ = json.Indent(&b, []byte(spec), "", "  ") // what hparams writes is JSON
	return b.String() + "\n"
}

// decideSlots is how many ranks there are on this host: slots if given, else what the job says of MPI, else this host's
// accelerators, else one.
func decideSlots(job *contract.Job, slots int) (int, error) {
	const param = "sagemaker_mpi_num_of_processes_per_host"
	if v, ok := job.Params.Get(param); ok && slots == 0 {
		n, err := strconv.Atoi(hparams.ToolkitText(v))
		if err != nil || n < 1 {
			return 0, unfit(contract.Problem{
				File:    contract.HyperparametersFile,
				Message: fmt.Sprintf("hyperparameter %q is %s, expected a whole number of at least 1", param, hparams.Quote(hparams.ToolkitText(v))),
			})
		}
		slots = n
	}
	return cmp.Or(slots, job.Machine.GPUs, job.Machine.NeuronCores, 1), nil
}

func unfit(problems ...contract.Problem) error { return &contract.InvalidError{Problems: problems} }

// unfitParams gives each hyperparameter that a style or a format cannot express its place.
func unfitParams(job *contract.Job, snap *contract.Snapshot, err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var problems []contract.Problem
	for _, err := range list {
		if p, ok := errors.AsType[*hparams.ParamError](err); ok {
			problems = append(problems, contract.ParamProblem(job, snap, p.Name, "", p.Msg))
			continue
		}
		problems = append(problems, contract.Problem{File: contract.HyperparametersFile, Message: err.Error()})
	}
	return unfit(problems...)
}

// fromDir is a path as it is from anywhere: run leaves the directory that it was started in.
func fromDir(dir, file string) string {
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

// environment is what the container has, in its order and with its oddities, and over it the job's variables.
func environment(snap *contract.Snapshot, vars []contract.Var) []string {
	ours := make(map[string]bool, len(vars))
	for _, v := range vars {
		ours[v.Name] = true
	}
	env := make([]string, 0, len(snap.Env)+len(vars))
	for _, kv := range snap.Env {
		name, _, _ := strings.Cut(kv, "=")
		if !ours[name] && name != KeyVariable {
			env = append(env, kv)
		}
	}
	for _, v := range vars {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}
