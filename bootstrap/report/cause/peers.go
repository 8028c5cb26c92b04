package cause

import (
	"slices"
	"strings"
)

// isPeer reports whether a message says only that another process has gone, or that this process was
// stopped because of it. Gloo, NCCL, torch's store, TensorFlow's gRPC, the TCP layers of Open MPI and
// MPICH, and Python's sockets print such messages on innocent ranks.
func isPeer(text string) bool {
	lower := strings.ToLower(text)
	if containsAny(lower,
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

// isWrapper reports whether an exception says only that another process or task failed.
func isWrapper(text string) bool {
	name, _, _ := strings.Cut(text, ":")
	name, _, _ = strings.Cut(name, "(")
	name = name[strings.LastIndexByte(name, '.')+1:]
	switch name {
	case "CalledProcessError", "ChildFailedError", "RayTaskError", "TrainingFailedError", "RemoteTraceback",
		"ProcessRaisedException", "ProcessExitedException", "Py4JJavaError", "_RemoteTraceback", "SystemExit",
		"TuneError", "WorkerGroupError", "WorkerGroupFailedException", "ExecutionException", "RayActorError",
		"ExecuteUserScriptError", "ControllerError", "BrokenProcessPool", "FailFastError",
		"PapermillExecutionError":
		return true
	}
	return containsAny(strings.ToLower(text),
		"one or more processes exited", "exited unexpectedly", "returned non-zero exit status",
		"exited with non-zero", "exits with return code", "exits successfully", "non-zero exit code",
		"failed (exitcode: ", "command failed with", "closing signal sigterm", "exited with exit code",
		"see root cause above", "no error file defined for parent", "exited with code",
	)
}

// isAfterthought reports whether an error message says only that a program ends because of an earlier
// message. Such messages come from tar, ld, make, ninja, pip, the Java launcher, and the compilers of
// Rust and C.
func isAfterthought(text string) bool {
	isMake := strings.HasPrefix(text, "make") && strings.Contains(text, "*** [") &&
		strings.Contains(text, "] Error ")
	return isMake || containsAny(text,
		"Error is not recoverable: exiting now", "Child returned status ",
		"Exiting with failure status due to previous", "ld returned ", "linker command failed",
		"compilation terminated", "error: aborting due to ", "error: could not compile `",
		"ninja: build stopped: ", "error: subprocess-exited-with-error",
		"Could not create the Java Virtual Machine", "A fatal exception has occurred. Program will",
	)
}

// grade lowers the kind of a finding whose text names no cause of its own.
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
