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

// stopOf is why somebody has stopped the trainer, and the trainer ended by that; nil where it ended by itself, or with a code
// of its own, which it keeps. ctx is what the trainer ran under.
func stopOf(ctx context.Context, exit proc.Exit) error {
	var reason error
	if stop, ok := errors.AsType[*rendezvous.StopError](context.Cause(ctx)); ok && exit.Told {
		reason = stop
	}
	if exit.Stopped {
		reason = &proc.SignalError{Signal: syscall.SIGTERM}
	}
	if reason == nil || !endsByStop(exit) {
		return nil
	}
	return reason
}

// endsByStop says whether a program ended as one that SIGTERM ends: by the signal itself, as a shell whose child did, or as
// Python whose handler raises. torchrun raises SignalException, and others KeyboardInterrupt, as for Ctrl-C.
func endsByStop(exit proc.Exit) bool {
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

// Remark logs what is worth a look besides how a program ended. The log goes on where the program's stderr does, whose last
// line may be unfinished.
func Remark(log events.Log, exit proc.Exit, program string) {
	succeeded := exit.Code == 0
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
