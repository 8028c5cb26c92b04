package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signals are the signals that were sent to this process and not acted upon yet.
//
// They come from os/signal. It hands on several signals that are pending at the same moment by their numbers, not in the
// order they were sent in, and each of them once, as the kernel does. It drops what does not fit into a channel. So
// SIGTERM and SIGCHLD have channels of their own: where one of them is dropped, another one waits.
type Signals struct {
	terms, children, others chan os.Signal
	woken                   chan struct{}
}

// manySignals is more than there are signals: other processes may send all of them while the loop is at work.
const manySignals = 256

// Catch takes over every signal from 1 to 31 that can be caught, but for those that the Go runtime lives on. It takes over
// also those that were ignored or blocked when this process started: the trainer inherits that, and decides. It comes before
// anything that takes time, since a PID 1 without handlers loses signals.
func Catch() *Signals {
	s := &Signals{
		terms: make(chan os.Signal, 1), children: make(chan os.Signal, 1), others: make(chan os.Signal, manySignals),
		woken: make(chan struct{}, 1),
	}
	recordIgnored() // os/signal changes what is ignored
	signal.Notify(s.terms, syscall.SIGTERM)
	signal.Notify(s.children, syscall.SIGCHLD)
	s.catchOthers(1, firstRealTime-1)
	return s
}

// The real-time signals that Go can catch. The C library's threads need those from 32 to 34.
const (
	firstRealTime syscall.Signal = 35
	lastRealTime  syscall.Signal = 64
)

// catchRealTime takes over the real-time signals. The Go runtime drops them until then, as they have nobody to go to before
// the trainer runs: it would die of one that it has no handler for.
func (s *Signals) catchRealTime() { s.catchOthers(firstRealTime, lastRealTime) }

// catchOthers takes over those from first to last that have no channel of their own.
func (s *Signals) catchOthers(first, last syscall.Signal) {
	var others []os.Signal
	for n := first; n <= last; n++ {
		if !isOurs(n) && n != syscall.SIGTERM && n != syscall.SIGCHLD {
			others = append(others, n)
		}
	}
	signal.Notify(s.others, others...)
}

// isOurs says whether a signal is of no use to the trainer: two cannot be caught; the Go runtime needs the others for
// preemption, for its profiler, and for what the C library's threads need of it.
func isOurs(n syscall.Signal) bool {
	switch n {
	case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, syscall.SIGPROF, 32, 33, 34:
		return true
	}
	return false
}

// next waits until a signal comes, or until a moment if that is not zero. It returns what has come meanwhile. A SIGCONT is
// the last of several, since a program that is told to stop and to continue at once is to run.
func (s *Signals) next(until time.Time) []syscall.Signal {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	var sigs []syscall.Signal
	select {
	case sig := <-s.terms:
		sigs = add(sigs, sig)
	case sig := <-s.children:
		sigs = add(sigs, sig)
	case sig := <-s.others:
		sigs = add(sigs, sig)
	case <-s.woken:
	case <-due:
	}
	sigs = append(sigs, s.pending()...)
	slices.SortStableFunc(sigs, func(a, b syscall.Signal) int { return continues(a) - continues(b) })
	return sigs
}

func continues(sig syscall.Signal) int {
	if sig == syscall.SIGCONT {
		return 1
	}
	return 0
}

// pending is what next need not wait for.
func (s *Signals) pending() (sigs []syscall.Signal) {
	for {
		select {
		case sig := <-s.terms:
			sigs = add(sigs, sig)
		case sig := <-s.children:
			sigs = add(sigs, sig)
		case sig := <-s.others:
			sigs = add(sigs, sig)
		default:
			return sigs
		}
	}
}

func add(sigs []syscall.Signal, sig os.Signal) []syscall.Signal {
	number, _ := sig.(syscall.Signal) // os/signal has no others
	return append(sigs, number)
}

// Raise acts as if a signal had been sent to this process.
func (s *Signals) Raise(sig syscall.Signal) {
	to := s.others
	if sig == syscall.SIGTERM {
		to = s.terms
	}
	select {
	case to <- sig:
	default: // enough of them are waiting
	}
}

// wakeUp makes next return.
func (s *Signals) wakeUp() {
	select {
	case s.woken <- struct{}{}:
	default: // it is about to
	}
}

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + signalName(e.Signal) }

// Code is what a shell would say of a process that the signal ended.
func (e *SignalError) Code() int { return 128 + int(e.Signal) }

// Context ends with a *SignalError when a signal comes that means the end: HUP, INT, QUIT or TERM. Others are
// dropped. It is for the time without a trainer; release leaves the signals to what follows. What ended ctx
// is certain only after that.
func (s *Signals) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := s.Watch(func(sig syscall.Signal) { cancel(&SignalError{Signal: sig}) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Watch calls what it is given for each signal that means the end, until stop is called. It drops the others.
func (s *Signals) Watch(came func(syscall.Signal)) (stop func()) {
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			for _, sig := range s.next(time.Time{}) {
				if isEnd(sig) {
					came(sig)
				}
			}
			select {
			case <-ended:
				return
			default:
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		s.wakeUp()
		watcher.Wait()
	})
}

// isEnd says whether a signal ends a process that has not said otherwise, as nohup does.
func isEnd(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
		return inheritedIgnored&(1<<(sig-1)) == 0
	}
	return false
}

// letGo gives all signals their default back, and is a *SignalError if one that means the end has come before that.
func (s *Signals) letGo() error {
	for _, c := range []chan os.Signal{s.terms, s.children, s.others} {
		signal.Stop(c)
	}
	for _, sig := range s.pending() {
		if isEnd(sig) {
			return &SignalError{Signal: sig}
		}
	}
	return nil
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
