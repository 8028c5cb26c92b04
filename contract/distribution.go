package contract

import (
	"fmt"
	"slices"

	"entrain/hparams"
)

// Distribution is a way of the SDK to train in several processes.
type Distribution struct {
	Param  string // the hyperparameter that switches it on
	Name   string // the program or library that starts the trainer on the platform, for messages
	Served bool   // entrain can start it
}

// Distributions lists the ways that make hosts train together, by the toolkit's rule (environment.py,
// get_distribution_instance_groups_from_resource_config).
func Distributions() []Distribution {
	return []Distribution{
		{"sagemaker_mpi_enabled", "MPI", true},
		{"sagemaker_parameter_server_enabled", "a parameter server", false},
		{"sagemaker_distributed_dataparallel_enabled", "the SageMaker data parallel library", false},
		{"sagemaker_pytorch_ddp_enabled", "PyTorch DDP by mpirun", true},
		{"sagemaker_pytorch_xla_multi_worker_enabled", "PyTorch/XLA", false},
		{"sagemaker_multi_worker_mirrored_strategy_enabled", "TensorFlow's MultiWorkerMirroredStrategy", true},
		{"sagemaker_torch_distributed_enabled", "torchrun", true},
	}
}

// isEnabled tells whether the job switches the distribution on, by the toolkit's rule: bool() of the decoded
// value.
func (d Distribution) isEnabled(j *Job) bool {
	v, ok := j.Params.Get(d.Param)
	return ok && v.Truthy()
}

// isDistributed tells whether the job switches any distribution on.
func (j *Job) isDistributed() bool {
	return slices.ContainsFunc(Distributions(), func(d Distribution) bool { return d.isEnabled(j) })
}

// checkDistributions reports the distributions that nothing would start. It is an error if several hosts
// should train together, also on a host that does not belong to them: the job as a whole cannot do what it
// asks for. It is a warning if one host alone should train in several processes, since it then trains in
// one. It is also a warning if MPI starts the trainer.
func checkDistributions(d *document, j *Job, starter string) {
	for _, dist := range Distributions() {
		if dist.Served || !dist.isEnabled(j) {
			continue
		}
		p, _ := j.Params.Find(dist.Param)
		hosts := len(j.Together())
		what := fmt.Sprintf("hyperparameter %s asks for %s, which entrain does not start",
			hparams.Quote(dist.Param), dist.Name)
		switch {
		case starter != "":
			d.warn(p.Raw.Pos, "", "%s: %s starts the trainer", what, starter)
		case hosts > 1:
			d.fail(p.Raw.Pos, startAlone,
				"%s: each of %d hosts would train by itself, expected one training on all", what, hosts)
		default:
			d.warn(p.Raw.Pos, "start it in the command; --launcher none says that the script alone is meant",
				"%s: the script runs alone, as one process", what)
		}
	}
}

// checkGroups warns of a job with a distribution that names none of its instance groups, so that all of them
// train together, and of names that are no group of the job.
func checkGroups(d *document, j *Job) {
	names := make([]string, len(j.Groups))
	for i, g := range j.Groups {
		names[i] = g.Name
	}
	if p, said := j.Params.Find(groupsParam); said {
		for _, v := range unknownGroups(p.Value, names) {
			d.warn(p.Raw.Pos, d.nearest(v.Text, names), "hyperparameter %s: %s is not one of instance_groups %s",
				hparams.Quote(groupsParam), describe(v), quoteAll(names))
		}
	}
	if !j.groupsAreOpen() || len(names) < 2 {
		return
	}
	p, said := j.Params.Find(groupsParam)
	if !said {
		i := slices.IndexFunc(Distributions(), func(dist Distribution) bool { return dist.isEnabled(j) })
		p, _ = j.Params.Find(Distributions()[i].Param)
	}
	example := hparams.JSON(hparams.Strs(names[:1]), hparams.PlainJSON())
	d.warn(p.Raw.Pos, "name the groups, e.g. "+groupsParam+"="+example,
		"hyperparameter %s: the job does not say which of %d instance groups train together, so all do: %s",
		hparams.Quote(p.Name), len(names), quoteAll(j.Together()))
}

// unknownGroups returns the names in groupsParam that are no group of the job. A job without groups may name
// any.
func unknownGroups(said hparams.Value, names []string) []hparams.Value {
	isMeant := func(name string) bool { return isMember(said, name) }
	switch {
	case len(names) == 0 || said.Kind == hparams.String && slices.ContainsFunc(names, isMeant):
		return nil
	case said.Kind == hparams.String:
		return []hparams.Value{said}
	}
	return slices.DeleteFunc(slices.Clone(said.Items), func(v hparams.Value) bool {
		return v.Kind == hparams.String && slices.Contains(names, v.Text)
	})
}

const startAlone = "--launcher none (ENTRAIN_LAUNCHER=none) starts the script alone on each host; " +
	"it then has to find the others by itself, by SM_HOSTS and SM_CURRENT_HOST"
