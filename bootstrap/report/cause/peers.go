package cause

import (
	"slices"
	"strings"
)

// isPeer says whether a message only says that another process has gone, or that this one was stopped for it.
// Gloo, NCCL, torch's store, TensorFlow's gRPC, Open MPI's and MPICH's TCP, and Python's sockets say so on
// innocent ranks.
func isPeer(text string) bool {
	lower := strings.ToLower(text)
	if contains(lower,
		"connection reset by peer", "connection closed by peer", "broken pipe", "socket closed", "socket is closed",
		"connection was closed by peer", "connection closed by remote peer", "remote peer has closed",
		"remote process exit", "ncclremoteerror", "remote side unexpectedly closed", "connection was likely closed",
		"did the remote server shutdown", "watchdog caught collective operation timeout",
		"watchdog thread terminated", "some nccl operations have failed or timed out",
		"taking the entire process down", "nccl communicator was aborted", "transport endpoint is not connected",
		"socket not connected", "software caused connection abort", "heartbeat monitor",
		"signalexception: process", "got signal: 15", "collective_timeout", "workers are unhealthy",
		"peer has gone", "peer closed", "connection lost to", "communication error with rank",
		"lost connection to peer", "failed to recv, got 0 bytes", "read error [",
		"process exited or there was a network error", "tcpstore was destroyed", "horovod has been shut down",
		"was aborted by another rank", "timed out waiting", "socket timeout", "heartbeat timeout",
	) {
		return true
	}
	name, _, _ := strings.Cut(strings.TrimSpace(text), ":")
	name = name[strings.LastIndexByte(name, '.')+1:]
	return slices.Contains([]string{"KeyboardInterrupt", "BrokenPipeError", "EOFError", "SignalException"}, name)
}

// isWrapper says whether an exception only says that another process or task failed.
func isWrapper(text string) bool {
	name, _, _ := strings.Cut(text, ":")
	name, _, _ = strings.Cut(name, "(")
	name = name[strings.LastIndexByte(name, '.')+1:]
	switch name {
	case "CalledProcessError", "ChildFailedError", "RayTaskError", "TrainingFailedError", "RemoteTraceback",
		"ProcessRaisedException", "ProcessExitedException", "Py4JJavaError", "_RemoteTraceback", "SystemExit",
		"TuneError", "WorkerGroupError", "WorkerGroupFailedException", "ExecutionException", "RayActorError",
		"ExecuteUserScriptError", "ControllerError", "BrokenProcessPool", "FailFastError", "PapermillExecutionError":
		return true
	}
	return contains(strings.ToLower(text),
		"one or more processes exited", "exited unexpectedly", "returned non-zero exit status",
		"exited with non-zero", "exits with return code", "exits successfully", "non-zero exit code",
		"failed (exitcode: ", "command failed with", "closing signal sigterm", "exited with exit code", "see root cause above",
		"no error file defined for parent", "exited with code",
	)
}

// isAfterthought says whether an error message only says that the program, or one that it had started, ends for what
// was said before: tar's, ld's and make's, the Java launcher's, and those of Rust's and C's compilers.
func isAfterthought(text string) bool {
	return strings.HasPrefix(text, "make") && strings.Contains(text, "*** [") && strings.Contains(text, "] Error ") || contains(text,
		"Error is not recoverable: exiting now", "Child returned status ", "Exiting with failure status due to previous",
		"ld returned ", "linker command failed", "compilation terminated", "error: aborting due to ",
		"error: could not compile `", "ninja: build stopped: ", "error: subprocess-exited-with-error", "Could not create the Java Virtual Machine", "A fatal exception has occurred. Program will",
	)
}

// grade makes of a cause what its text makes it.
func grade(f finding) finding {
	switch {
	case isAfterthought(f.text):
		f.kind, f.follower = wrapper, true
	case f.kind < peer:
	case isWrapper(f.text):
		f.kind = wrapper
	case isPeer(f.text):
		f.kind = peer
	}
	return f
}
