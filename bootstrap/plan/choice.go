package plan

import (
	"strconv"

	"entrain/contract"
	"entrain/hparams"
)

// chosenLauncher returns the launcher of a job: the one that the user has chosen, else the one that the job
// asks for. It is never LauncherAuto. What the job asks for and no launcher serves, contract.CheckAsks
// reports.
func chosenLauncher(job *contract.Job, o Options) string {
	asks := func(param string) bool {
		v, _ := job.Params.Get(param)
		return v.Truthy()
	}
	switch {
	case o.Launcher != LauncherAuto:
		return o.Launcher
	case asks("sagemaker_mpi_enabled"):
		return LauncherMPI
	case asks("sagemaker_torch_distributed_enabled"), asks("sagemaker_pytorch_ddp_enabled"):
		return LauncherRanks
	}
	return LauncherNone
}

// WantsMPI says whether MPI starts the trainer.
func WantsMPI(job *contract.Job, o Options) bool {
	launcher := chosenLauncher(job, o)
	return launcher == LauncherMPI || launcher == LauncherScript
}

// WantsRanks says whether entrain itself starts the ranks.
func WantsRanks(job *contract.Job, o Options) bool { return chosenLauncher(job, o) == LauncherRanks }

// startsRanks says whether a launcher of entrain starts ranks: each of them then expands the command's words.
func startsRanks(job *contract.Job, o Options) bool { return WantsMPI(job, o) || WantsRanks(job, o) }

// starter names what starts the trainer in all its processes, for contract.CheckAsks. It is empty where each
// host starts it once.
func starter(job *contract.Job, o Options) string {
	switch chosenLauncher(job, o) {
	case LauncherMPI, LauncherScript:
		return "MPI"
	case LauncherRanks, LauncherTorchrun:
		return "--launcher " + chosenLauncher(job, o)
	}
	return ""
}

// tensorFlowPort is the TCP port of TensorFlow's workers (training.py of the toolkit for TensorFlow).
const tensorFlowPort = "8890"

// tensorFlowVariables returns TF_CONFIG for TensorFlow's MultiWorkerMirroredStrategy, if the job asks for it,
// as the toolkit for TensorFlow writes it.
func tensorFlowVariables(job *contract.Job, o Options, t Together) []string {
	v, _ := job.Params.Get("sagemaker_multi_worker_mirrored_strategy_enabled")
	if !v.Truthy() || !t.IsMember() || chosenLauncher(job, o) != LauncherNone {
		return nil
	}
	workers := make([]string, len(t.Hosts))
	for i, h := range t.Hosts {
		workers[i] = h.Name + ":" + tensorFlowPort
	}
	list := hparams.JSON(hparams.Strs(workers), hparams.PlainJSON())
	return []string{`TF_CONFIG={"cluster":{"worker":` + list + `},"environment":"cloud","task":{"index":` +
		strconv.Itoa(t.Index) + `,"type":"worker"}}`}
}
