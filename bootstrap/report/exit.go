// Package report turns an error into what others see of it: the exit code, the text of the failure file, and the line that
// the other hosts are told. One file, write.go, writes; the rest is pure.
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
)

// The exit codes of entrain itself follow sysexits.h; 126, 127 and 128+n are as a shell has them.
const (
	CodeUsage       = 64                      // the command line or a variable of ours is wrong
	CodeInvalid     = rendezvous.CodeInvalid  // 65: the contract is invalid, or a stream
	CodeUnavailable = rendezvous.CodeLost     // 69: a host did not come or was lost, or a FIFO did not come
	CodeInternal    = rendezvous.CodeInternal // 70
	CodeOutput      = 73                      // an output cannot be written
)

// CodeStopped is what a job ends with that SIGTERM has ended.
const CodeStopped = 128 + int(syscall.SIGTERM)

// LaunchError is a launcher that failed, and why: the host, and usually the rank, that failed first.
type LaunchError struct {
	First *rendezvous.PeerError
	Exit  *proc.ExitError // of the launcher
}

func (e *LaunchError) Error() string { return e.First.Error() }

// code is that of what failed first, else the launcher's own.
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

// StoppedError is a trainer that a stop has ended: it had no code of its own to end with.
type StoppedError struct {
	Cause error // who was sent SIGTERM
	Exit  *proc.ExitError
}

func (e *StoppedError) Error() string { return e.Cause.Error() + "\n" + e.Exit.Error() }

// ExitCode is what the process ends with: 0 for no error, and for no other.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	code := codeOf(err)
	if code < 1 || code > 255 {
		return CodeInternal // whoever made the error has left out its code, and the kernel keeps eight bits
	}
	return code
}

// codeOf is the code that an error has.
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
	if _, ok := errors.AsType[*output.Error](err); ok {
		return CodeOutput
	}
	return CodeInternal
}

func isInvalid(err error) bool {
	_, invalid := errors.AsType[*contract.InvalidError](err)
	_, refused := errors.AsType[*rendezvous.RefusedError](err)
	_, format := errors.AsType[*recordio.FormatError](err)
	_, manifest := errors.AsType[*channel.ManifestError](err)
	return invalid || refused || format || manifest
}

func isUnavailable(err error) bool {
	_, names := errors.AsType[*hostwait.UnavailableError](err)
	_, listen := errors.AsType[*rendezvous.ListenError](err)
	_, fifo := errors.AsType[*channel.UnavailableError](err)
	_, lost := errors.AsType[*remote.LostError](err)
	return names || listen || fifo || lost
}
