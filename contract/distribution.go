package contract

import (
	"fmt"
	"slices"

	"entrain/hparams"
)

// Distribution is a way of the SDK to train on several processes: a hyperparameter that switches it on,
// and what then starts the trainer on the platform.
type Distribution struct {
	Param  string
	Name   string
	Served bool // entrain starts it
}

// Distributions are those by which the SDK says that hosts train together (environment.py of the toolkit,
// get_distribution_instance_groups_from_resource_config).
func Distributions() []Distribution {
	return []Distribution{
		{"sagemaker_mpi_enabled", "MPI", true},
		{"sagemaker_parameter_server_enabled", "a parameter server", false},
		{"sagemaker_distributed_dataparallel_enabled", "the SageMaker data parallel library", false},
		{"sagemaker_pytorch_ddp_enabled", "PyTorch DDP by mpirun", false},
		{"sagemaker_pytorch_xla_multi_worker_enabled", "PyTorch/XLA", false},
		{"sagemaker_multi_worker_mirrored_strategy_enabled", "TensorFlow's MultiWorkerMirroredStrategy", false},
		{"sagemaker_torch_distributed_enabled", "torchrun", false},
	}
}

// isEnabled is what the toolkit asks: bool() of the decoded value.
func (d Distribution) isEnabled(j *Job) bool {
	v, ok := j.Params.Get(d.Param)
	return ok && v.Truthy()
}

// distributed says whether any distribution is switched on.
func (j *Job) distributed() bool {
	return slices.ContainsFunc(Distributions(), func(d Distribution) bool { return d.isEnabled(j) })
}

// checkDistributions says which distributions nobody would start. The hosts that count are those that
// train together, not all of the job: where a distribution's group has one host, that host has lost
// nothing but processes. A host of another group says it too, since the whole job cannot be what was asked
// for.
func checkDistributions(d *document, j *Job, launched bool) {
	for _, dist := range Distributions() {
		if dist.Served || !dist.isEnabled(j) {
			continue
		}
		p, _ := j.param(dist.Param)
		hosts := len(j.Together())
		what := fmt.Sprintf("hyperparameter %s asks for %s, which entrain does not start",
			hparams.Quote(dist.Param), dist.Name)
		switch {
		case launched:
			d.warn(p.Raw.Pos, "", "%s: MPI starts the trainer", what)
		case hosts > 1:
			d.fail(p.Raw.Pos, startAlone,
				"%s: each of %d hosts would train by itself, expected one training on all", what, hosts)
		default:
			d.warn(p.Raw.Pos, "start it in the command; --launcher none says that the script alone is meant",
				"%s: the script runs alone, as one process", what)
		}
	}
}

const startAlone = "--launcher none (ENTRAIN_LAUNCHER=none) starts the script alone on each host; " +
	"it then has to find the others by itself, by SM_HOSTS and SM_CURRENT_HOST"

// param is a hyperparameter with its place.
func (j *Job) param(name string) (hparams.Param, bool) {
	for _, p := range slices.Backward(j.Params) {
		if p.Name == name {
			return p, true
		}
	}
	return hparams.Param{}, false
}
