package proc

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signals are the signals that were sent to this process and not acted upon yet. The first thing a process does
// is to Catch them: as PID 1 an uncaught SIGTERM is lost or ends a Go program with 2.
type Signals struct {
	sent  chan os.Signal // to be passed on; wide, since the runtime drops what does not fit
	child chan os.Signal // SIGCHLD; one is enough to say: look
}

// notPassedOn are signals that only the Go runtime uses: its own preemption, its profiler, broken pipes of ours,
// and the ends of children.
func notPassedOn() []syscall.Signal {
	return []syscall.Signal{syscall.SIGURG, syscall.SIGPROF, syscall.SIGPIPE, syscall.SIGCHLD}
}

// Catch takes over every signal that can be caught, apart from those that were being ignored when this process
// started: nohup's decision is not ours to change.
func Catch() *Signals {
	s := &Signals{sent: make(chan os.Signal, 256), child: make(chan os.Signal, 1)}
	signal.Notify(s.child, syscall.SIGCHLD)
	// A write to a closed stdout must be an error to us, not our end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for n := syscall.Signal(1); n < 32; n++ {
		if n != syscall.SIGKILL && n != syscall.SIGSTOP && !slices.Contains(notPassedOn(), n) && !signal.Ignored(n) {
			signal.Notify(s.sent, n)
		}
	}
	return s
}

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + signalName(e.Signal) }

// Code is what a shell would say of a process that the signal ended.
func (e *SignalError) Code() int { return 128 + int(e.Signal) }

// Context ends with a *SignalError when a signal comes that means the end: HUP, INT, QUIT or TERM. Others are
// dropped. It is for the time before there is a trainer; release hands the signals on to what follows.
func (s *Signals) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-s.sent:
				switch sig {
				case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
					cancel(&SignalError{Signal: sig.(syscall.Signal)})
					return
				}
			}
		}
	})
	return ctx, func() { cancel(nil); watcher.Wait() }
}

// signalName is SIGTERM for 15.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return sig.String()
}
