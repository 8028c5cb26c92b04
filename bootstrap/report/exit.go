// Package report turns an error into its exit code, the text of the failure file, and the line that goes
// to the other hosts. Only write.go writes files and reads the state of disks. The rest is pure.
package report

import (
	"errors"
	"syscall"

	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/channel"
	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
	"entrain/source"
)

// The exit codes of entrain itself follow sysexits.h. The codes 126, 127 and 128+n are those of a shell.
const (
	CodeUsage       = 64                      // the command line or a variable of entrain is wrong
	CodeInvalid     = rendezvous.CodeInvalid  // 65: the contract or a stream is invalid
	CodeUnavailable = rendezvous.CodeLost     // 69: a host did not come or was lost, or a FIFO did not come
	CodeInternal    = rendezvous.CodeInternal // 70: something inside entrain failed
	CodeOutput      = 73                      // an output cannot be written
)

// CodeStopped is the exit code of a job that SIGTERM has ended.
const CodeStopped = 128 + int(syscall.SIGTERM)

// LaunchError says that a launcher failed, and which host failed first.
type LaunchError struct {
	First *rendezvous.PeerError // the host, and usually the rank, that failed first
	Exit  *proc.ExitError       // how the launcher ended
}

func (e *LaunchError) Error() string { return e.First.Error() }

// code is the code of the first failure, or the code of the launcher if the first failure has none.
func (e *LaunchError) code() int {
	code := 0
	if e.First != nil {
		code = e.First.Code
	}
	if code == 0 && e.Exit != nil {
		code = e.Exit.Code
	}
	return code
}

// StoppedError says that a stop has ended the trainer before the trainer could end with a code of its own.
type StoppedError struct {
	Cause error           // says which host or process got SIGTERM
	Exit  *proc.ExitError // how the trainer ended
}

func (e *StoppedError) Error() string { return e.Cause.Error() + "\n" + e.Exit.Error() }

// ExitCode returns the exit code of the process: 0 if err is nil, else 1 to 255.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	code := codeOf(err)
	if code < 1 || code > 255 {
		return CodeInternal // the error lacks its code, or the code has more than eight bits
	}
	return code
}

// codeOf returns the code of an error. It may be outside of 1 to 255 if the error lacks a code.
func codeOf(err error) int {
	if e, ok := errors.AsType[*LaunchError](err); ok {
		return e.code()
	}
	if _, ok := errors.AsType[*StoppedError](err); ok {
		return CodeStopped
	}
	if e, ok := errors.AsType[*proc.ExitError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*proc.StartError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*proc.SignalError](err); ok {
		return e.Code()
	}
	if e, ok := errors.AsType[*rendezvous.PeerError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*rendezvous.OverError](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[*rendezvous.StopError](err); ok {
		return CodeStopped
	}
	if e, ok := errors.AsType[*plan.LauncherError](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[*plan.UsageError](err); ok {
		return CodeUsage
	}
	switch {
	case isInvalid(err):
		return CodeInvalid
	case isUnavailable(err):
		return CodeUnavailable
	}
	_, written := errors.AsType[*output.Error](err)
	if _, unpacked := errors.AsType[*source.WriteError](err); written || unpacked {
		return CodeOutput
	}
	return CodeInternal
}

// isInvalid reports whether an error says that the contract, the code or a stream is invalid.
func isInvalid(err error) bool {
	_, invalid := errors.AsType[*contract.InvalidError](err)
	_, refused := errors.AsType[*rendezvous.RefusedError](err)
	_, format := errors.AsType[*recordio.FormatError](err)
	_, manifest := errors.AsType[*channel.ManifestError](err)
	_, fifo := errors.AsType[*channel.InvalidError](err)
	_, archive := errors.AsType[*source.ArchiveError](err)
	_, install := errors.AsType[*InstallError](err)
	return invalid || refused || format || manifest || fifo || archive || install
}

// isUnavailable reports whether an error says that a host or a FIFO did not come, that another process reads
// the FIFO, that a host was lost, or that no more files can be opened.
func isUnavailable(err error) bool {
	_, names := errors.AsType[*hostwait.UnavailableError](err)
	_, listen := errors.AsType[*rendezvous.ListenError](err)
	_, fifo := errors.AsType[*channel.UnavailableError](err)
	_, inUse := errors.AsType[*channel.InUseError](err)
	_, lost := errors.AsType[*remote.LostError](err)
	tooManyFiles := errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
	return names || listen || fifo || inUse || lost || tooManyFiles
}
