package launch

import "syscall"

// The exit codes that launchers and ranks give, and what they mean.
const (
	// codePeerDied ("Socket closed") is the exit code that Open MPI 5 gives ranks whose peer died. It often
	// arrives before the exit code of the peer.
	codePeerDied = 14
	// codeKilled is the exit code of a rank that SIGKILL has ended.
	codeKilled = 128 + int(syscall.SIGKILL)
)

// codeFailed is the job's exit code where the job failed although its launcher ended with 0.
const codeFailed = 1
