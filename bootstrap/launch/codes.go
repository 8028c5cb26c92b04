package launch

import "syscall"

// The exit codes that launchers and ranks give, and what they mean.
const (
	// codeHydraLostHost is the exit code of Hydra, and of PRRTE (Open MPI 5), when it has lost a host.
	codeHydraLostHost = 255
	// codeORTELostHost is the exit code of ORTE (Open MPI 4) when it has lost a host.
	codeORTELostHost = 205
	// codePeerDied ("Socket closed") is the exit code that Open MPI 5 gives ranks whose peer died. It often
	// arrives before the exit code of the peer.
	codePeerDied = 14
	// codeKilled is the exit code of a rank that SIGKILL has ended.
	codeKilled = 128 + int(syscall.SIGKILL)
)

// codeFailed is the job's exit code where the job failed although its launcher ended with 0.
const codeFailed = 1
