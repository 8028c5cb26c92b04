package trainer

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"entrain/bootstrap/events"
	"entrain/bootstrap/report/cause"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// stopOf says who stopped the trainer: a *rendezvous.StopError or a *proc.SignalError. It is nil if the
// trainer ended by itself, or chose its own exit code after a stop: that code counts. ctx is the context
// that the trainer ran under.
func stopOf(ctx context.Context, exit proc.Exit) error {
	var stopper error
	if stop, ok := errors.AsType[*rendezvous.StopError](context.Cause(ctx)); ok && exit.Told {
		stopper = stop
	}
	if exit.Stopped {
		stopper = &proc.SignalError{Signal: syscall.SIGTERM}
	}
	if stopper == nil || !EndedByStop(exit) {
		return nil
	}
	return stopper
}

// EndedByStop says whether a program ended as SIGTERM ends a program: by the signal itself, like a shell
// whose child ended by the signal, or like a Python program whose signal handler raises an exception.
// torchrun raises SignalException, other programs KeyboardInterrupt, as for Ctrl-C.
func EndedByStop(exit proc.Exit) bool {
	const (
		uncaught    = 1
		terminated  = 128 + int(syscall.SIGTERM)
		interrupted = 128 + int(syscall.SIGINT)
	)
	switch exit.Code {
	case terminated:
		return true
	case uncaught, interrupted:
		last := cause.Cause(exit.Stderr, cause.End{Code: exit.Code})
		return strings.Contains(last, "SignalException") || strings.Contains(last, "KeyboardInterrupt")
	}
	return false
}

// Remark warns of processes that a program has left behind, and of killed processes of a program that ended
// with 0.
func Remark(log events.Log, exit proc.Exit, program string) {
	succeeded := exit.Code == 0
	// The log and the program's stderr are the same stream, in which the program's last line may be unfinished.
	if exit.Unfinished && (!succeeded || exit.Left > 0 || exit.OOMKills > 0) {
		_, _ = proc.Log(2).Write([]byte("\n"))
	}
	if exit.Left > 0 {
		log.LeftBehind(exit.Left, program)
	}
	if succeeded && exit.OOMKills > 0 {
		log.Warn().Msgf("%s ended with 0, but the kernel killed %s of this container for lack of memory",
			program, events.Plural(exit.OOMKills, "process", "processes"))
	}
}
