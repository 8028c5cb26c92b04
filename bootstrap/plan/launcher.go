package plan

import (
	"slices"

	"entrain/contract"
	"entrain/mpi"
)

// checkLauncher warns of an MPI launcher whose version is known to hang over several hosts. It says nothing
// of a launcher that was not asked for its version: newLaunch reports what is wrong with it.
func checkLauncher(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	together := job.Together()
	if snap.Launcher == nil || !WantsMPI(job, o) || len(together) < 2 || !slices.Contains(together, job.Host) {
		return nil
	}
	launcher, err := mpi.Identify(snap.Launcher.Version)
	if err != nil {
		return nil
	}
	fault := launcher.FaultOverHosts()
	if fault == "" {
		return nil
	}
	return []contract.Problem{{
		File: snap.Launcher.Path, Warning: true, Message: fault,
		Hint: aptInstall + "openmpi-bin, or name another launcher by --mpirun",
	}}
}
