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

// Signals are the signals that were sent to this process and that nobody has acted upon yet.
//
// They come from os/signal. Of signals that are pending at the same moment it delivers each one once, in
// the order of their numbers, as the kernel does. It drops a signal for which a channel has no room. So
// SIGTERM and SIGCHLD have channels of their own: where one is dropped, another one of the same number
// waits.
type Signals struct {
	terms, children, others chan os.Signal
	woken                   chan struct{}
	parent                  int // the process that started this one
}

// manySignals is more than there are signals. Other processes may send all of them while Run's loop is busy.
const manySignals = 256

// Catch takes over every signal from 1 to 31 that can be caught, except those that the Go runtime needs. It
// also takes over those that were ignored or blocked when this process started: the trainer inherits that,
// and may want the signal. Call Catch before anything that takes time, since a PID 1 without handlers loses
// signals.
func Catch() *Signals {
	s := &Signals{
		terms:    make(chan os.Signal, 1),
		children: make(chan os.Signal, 1),
		others:   make(chan os.Signal, manySignals),
		woken:    make(chan struct{}, 1),
		parent:   os.Getppid(),
	}
	recordIgnored() // os/signal changes what is ignored
	signal.Notify(s.terms, syscall.SIGTERM)
	signal.Notify(s.children, syscall.SIGCHLD)
	s.catchOthers(1, firstRealTime-1)
	return s
}

// The real-time signals that Go can catch. The threads of the C library use those from 32 to 34.
const (
	firstRealTime syscall.Signal = 35
	lastRealTime  syscall.Signal = 64
)

// catchRealTime takes over the real-time signals. The Go runtime drops them until then. A trainer that has
// just started has no handlers, and would die of one.
func (s *Signals) catchRealTime() { s.catchOthers(firstRealTime, lastRealTime) }

// catchOthers takes over the signals from first to last that have no channel of their own.
func (s *Signals) catchOthers(first, last syscall.Signal) {
	var others []os.Signal
	for n := first; n <= last; n++ {
		if !isReserved(n) && n != syscall.SIGTERM && n != syscall.SIGCHLD {
			others = append(others, n)
		}
	}
	signal.Notify(s.others, others...)
}

// isReserved says whether a signal cannot be passed on: nobody can catch SIGKILL and SIGSTOP, the Go
// runtime needs SIGURG for preemption and SIGPROF for its profiler, and it does not let go of those of the
// C library's threads.
func isReserved(n syscall.Signal) bool {
	switch n {
	case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, syscall.SIGPROF, 32, 33, 34:
		return true
	}
	return false
}

// next waits for a signal, until a moment if that is not zero. It returns all signals that have come.
// SIGCONT is the last of them, since a program that gets a stop and a SIGCONT at the same moment must run.
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
		sigs = appendNumber(sigs, sig)
	case sig := <-s.children:
		sigs = appendNumber(sigs, sig)
	case sig := <-s.others:
		sigs = appendNumber(sigs, sig)
	case <-s.woken:
	case <-due:
	}
	sigs = append(sigs, s.pending()...)
	slices.SortStableFunc(sigs, func(a, b syscall.Signal) int { return sortKey(a) - sortKey(b) })
	return sigs
}

// sortKey puts SIGCONT behind all others.
func sortKey(sig syscall.Signal) int {
	if sig == syscall.SIGCONT {
		return 1
	}
	return 0
}

// pending gives the signals that have come, and does not wait.
func (s *Signals) pending() (sigs []syscall.Signal) {
	for {
		select {
		case sig := <-s.terms:
			sigs = appendNumber(sigs, sig)
		case sig := <-s.children:
			sigs = appendNumber(sigs, sig)
		case sig := <-s.others:
			sigs = appendNumber(sigs, sig)
		default:
			return sigs
		}
	}
}

func appendNumber(sigs []syscall.Signal, sig os.Signal) []syscall.Signal {
	number, _ := sig.(syscall.Signal) // all signals of os/signal have this type
	return append(sigs, number)
}

// Raise adds a signal as if somebody had sent it to this process.
func (s *Signals) Raise(sig syscall.Signal) {
	to := s.others
	if sig == syscall.SIGTERM {
		to = s.terms
	}
	select {
	case to <- sig:
	default: // the channel is full of signals that wait
	}
}

// wakeUp makes next return.
func (s *Signals) wakeUp() {
	select {
	case s.woken <- struct{}{}:
	default: // next is about to return
	}
}

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "stopped by " + signalName(e.Signal) }

// Code is the exit code that a shell gives for a process that the signal ended: 128 + its number.
func (e *SignalError) Code() int { return 128 + int(e.Signal) }

// Context gives a context that ends with a *SignalError when a signal comes that means the end: HUP, INT,
// QUIT or TERM. It drops other signals. It is for the time without a trainer. Release gives the signals
// back to whoever calls next. Only after release is the cause of ctx final.
func (s *Signals) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := s.Watch(func(sig syscall.Signal) { cancel(&SignalError{Signal: sig}) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Watch calls a function for each signal that means the end, until stop is called. It drops other signals.
func (s *Signals) Watch(onEnd func(syscall.Signal)) (stop func()) {
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			for _, sig := range s.next(time.Time{}) {
				if isEnd(sig) {
					onEnd(sig)
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

// isEnd says whether a signal ends the job: HUP, INT, QUIT or TERM, unless it was ignored when this process
// started, as nohup does with HUP.
func isEnd(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
		return inheritedIgnored&(1<<(sig-1)) == 0
	}
	return false
}

// uncatch gives all signals their default back. Its error is a *SignalError if a signal that means the end
// has come before.
func (s *Signals) uncatch() error {
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

// signalName is the name of a signal: SIGTERM for 15.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

// ParseSignal reads a signal as kill(1) does: 15, TERM or SIGTERM. Its error says what was expected.
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
