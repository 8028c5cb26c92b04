package hosts

import (
	"syscall"
	"testing"
	"time"
)

// TestLauncherIsHeard: what the real launchers say of their own end is the reason on all hosts. Their limit
// is not that of the agents that they end themselves.
func TestLauncherIsHeard(t *testing.T) {
	const ompi, mpich, limit = "mpirun.openmpi", "mpirun.mpich", "MPIEXEC_TIMEOUT=2"
	const openMPI4s = "(algo-1: exit code 110: )?The user-provided time limit for job execution " +
		"has been reached: Timeout: 2 seconds\nmpirun.openmpi: exit code 110"
	killMPIRun := func(l *lab) { l.hosts[0].job.signalProgram("mpirun.openmpi", syscall.SIGTERM) }
	for _, s := range []scenario{
		{
			name: "its time limit by an option", n: 2, words: launchArgs(ompi, "sleep", "600"),
			files: map[string]string{
				"ml/input/config/hyperparameters.json": `{"sagemaker_mpi_custom_mpi_options": "\"--timeout 2\""}`,
			},
			codes: []int{110, 110}, failure: openMPI4s,
		},
		{
			name: "its time limit by a variable", n: 2,
			words: append([]string{limit}, launchArgs(ompi, "sleep", "600")...),
			codes: []int{110, 110}, failure: openMPI4s,
		},
		{
			name: "MPICH's time limit", n: 2, words: append([]string{limit}, launchArgs(mpich, "sleep", "600")...),
			codes: []int{255, 255}, failure: "algo-1: APPLICATION TIMED OUT, TIMEOUT = 2s",
		},
		{
			name: "somebody ends it", n: 2, words: launchArgs(ompi, "sh", "-c", forever), act: killMPIRun,
			codes: []int{143, 143}, failure: "algo-1: mpirun.openmpi: ended by SIGTERM",
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, ompi)
			needProgram(t, mpich)
			s.within = 20 * time.Second
			s.run(t)
		})
	}
}
