package proc

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signals are the signals that were sent to this process and not acted upon yet, in their order.
//
// os/signal is not used: it moves two threads for each signal that it is told of, a millisecond in all, which
// is most of the time that an init may take; it hands several signals on by number, not in order; and it drops
// what does not fit into a channel. Here the handler, a few instructions in entry_*.s, writes each
// signal's number into a pipe, which one goroutine reads.
type Signals struct{ r, w int }

// signalPipe is where the handler writes to; runtimeHandler is where it passes on the faults of this program.
var signalPipe, runtimeHandler uintptr //nolint:unused // entry_*.s reads them

func handlers() (all, fault, restorer uintptr)

// wake is no signal: it ends a wait for one, so that the waiter looks around.
const wake = 0

// Catch takes over every signal that can be caught, but for those that the Go runtime lives on; those too that were ignored
// or blocked when this process started, since the trainer inherits that and it is for the trainer to decide. It comes
// before anything that takes time, since a PID 1 without handlers loses signals.
func Catch() (*Signals, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("a pipe for signals: %w", err)
	}
	s := &Signals{r: fds[0], w: fds[1]}
	signalPipe = uintptr(s.w)
	all, fault, restorer := handlers()
	for n := syscall.Signal(1); n < 32; n++ {
		if isOurs(n) {
			continue
		}
		act := sigaction{handler: all, flags: handlerFlags, restorer: restorer, mask: ^uint64(0)}
		if isFault(n) {
			var old sigaction
			if err := rtSigaction(uintptr(n), nil, &old); err != nil {
				return nil, fmt.Errorf("the handler of %s: %w", signalName(n), err)
			}
			runtimeHandler, act.handler = old.handler, fault
		}
		if err := rtSigaction(uintptr(n), &act, nil); err != nil {
			return nil, fmt.Errorf("catching %s: %w", signalName(n), err)
		}
	}
	return s, setMask(0) // one thread that blocks none is enough
}

// isOurs says whether nobody but the Go runtime and the kernel have a use for a signal here: the runtime's preemption
// and profiler, and the two that cannot be caught.
func isOurs(n syscall.Signal) bool {
	switch n {
	case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, syscall.SIGPROF:
		return true
	}
	return false
}

// isFault says whether a signal may be a fault of this program.
func isFault(n syscall.Signal) bool {
	switch n {
	case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGSYS:
		return true
	}
	return false
}

// next waits until a signal comes, or until a moment if that is not zero. It returns what has come meanwhile.
func (s *Signals) next(until time.Time) ([]syscall.Signal, error) {
	timeout := -1
	if !until.IsZero() {
		timeout = int(max(0, time.Until(until)+time.Millisecond-1) / time.Millisecond)
	}
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(s.r), Events: unix.POLLIN}}, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return nil, fmt.Errorf("waiting for signals: %w", err)
	}
	var numbers [256]byte
	n, err := unix.Read(s.r, numbers[:])
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		return nil, fmt.Errorf("reading signals: %w", err)
	}
	var sigs []syscall.Signal
	for _, number := range numbers[:max(n, 0)] {
		sigs = append(sigs, syscall.Signal(number))
	}
	return sigs, nil
}

// Raise acts as if a signal had been sent to this process.
func (s *Signals) Raise(sig syscall.Signal) { _, _ = unix.Write(s.w, []byte{byte(sig)}) } // a full pipe holds enough of them

// wakeUp makes next return.
func (s *Signals) wakeUp() { _, _ = unix.Write(s.w, []byte{wake}) } // a full pipe wakes too

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + signalName(e.Signal) }

// Code is what a shell would say of a process that the signal ended.
func (e *SignalError) Code() int { return 128 + int(e.Signal) }

// Context ends with a *SignalError when a signal comes that means the end: HUP, INT, QUIT or TERM. Others are
// dropped. It is for the time before there is a trainer; release leaves the signals to what follows. What ended ctx
// is certain only after that.
func (s *Signals) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for ctx.Err() == nil {
			sigs, err := s.next(time.Time{})
			if err != nil {
				cancel(err)
			}
			for _, sig := range sigs {
				if isEnd(sig) {
					cancel(&SignalError{Signal: sig})
				}
			}
		}
	})
	return ctx, func() {
		cancel(nil)
		s.wakeUp()
		watcher.Wait()
	}
}

// isEnd says whether a signal ends a process that has not said otherwise, as nohup does.
func isEnd(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
		return inheritedIgnored&(1<<(sig-1)) == 0
	}
	return false
}

// letGo gives the signals that mean the end their default back, and is a *SignalError if one has come before that.
func (s *Signals) letGo() error {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if err := rtSigaction(uintptr(sig), &sigaction{}, nil); err != nil {
			return fmt.Errorf("letting go of %s: %w", signalName(sig), err)
		}
	}
	sigs, err := s.next(time.Now())
	for _, sig := range sigs {
		if isEnd(sig) {
			return &SignalError{Signal: sig}
		}
	}
	return err
}

// signalName is SIGTERM for 15.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

// ParseSignal reads a signal as kill(1) does: 15, TERM or SIGTERM.
func ParseSignal(text string) (syscall.Signal, error) {
	name := strings.ToUpper(text)
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 32 {
		return syscall.Signal(n), nil
	}
	for _, candidate := range []string{name, "SIG" + name} {
		if sig := unix.SignalNum(candidate); sig != 0 {
			return sig, nil
		}
	}
	return 0, errors.New("expected a signal such as TERM, SIGUSR1 or 15")
}
