package proc

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how Run treats a program and ends it.
type Options struct {
	Grace       time.Duration // from the first SIGTERM to SIGKILL
	SignalGroup bool          // signals go to the program's process group, not to the program alone
	Stdin       int           // descriptor that the program reads, and that Run closes; 0 is our own stdin
	Tag         string        // put in front of each line of the program; empty for none
	NoCapture   bool          // stderr is the program's own, and its last lines are not kept

	// Marker is a text in a line of stderr. What follows the last such line is kept beside the last lines.
	Marker string

	// ParentDeath is the signal that we get when the process that started us ends; 0 for none. PID 1 gets none.
	ParentDeath syscall.Signal

	PipeSize int // bytes that the pipe of stderr holds; 0 leaves it to the kernel

	Memory int64 // bytes that entrain may use before it collects garbage harder; 0 for 32 MiB

	// Run calls Terminated after it has passed on a SIGTERM of another process. It does not call it for the
	// SIGTERM that it sends itself when ctx ends. It may be nil.
	Terminated func()

	Listener
	// Ended is called when the program has ended, before the processes that it left behind have. It may be nil.
	Ended func(Exit)

	Team   *Team   // several programs in place of one; nil for none
	Guests *Guests // processes beside the program; nil for none
	Leash  *Leash  // decides instead of Grace when the program ends; nil for none

	// Stop is called where there is a leash: with nil on a SIGTERM, and with the cause of ctx when ctx ends.
	Stop func(error)
}

// Run starts a program and is its init until it ends: it passes signals on, reaps every orphan, and leaves
// no process behind. When ctx ends, the program gets SIGTERM as if somebody had sent it. Without a program
// there are only guests: Run then returns when ctx has ended, or all guests have been killed, and no
// process is left. A team ends when all its programs have. The error is a *StartError where a program cannot
// start.
//
// One goroutine handles signals and calls wait4(-1). A second waiter would steal exit statuses. A process
// that this goroutine has not reaped keeps its number, so a signal to that number reaches no other process.
// The caller's thread is locked for good, because the kernel kills the program when the thread that has
// started it ends.
func Run(ctx context.Context, signals *Signals, cmd Cmd, o Options) (Exit, error) {
	if err := adopt(o.ParentDeath, signals.parent); err != nil {
		return Exit{}, err
	}
	output, err := newOutputs(&o, o.Tag, &sync.Mutex{}, o.NoCapture || len(cmd.Argv) == 0)
	if err != nil {
		return Exit{}, err
	}
	runtime.LockOSThread()
	start := time.Now()
	pid, err := o.start(cmd, output)
	output.start()
	if err != nil {
		return Exit{}, errors.Join(err, output.finish())
	}
	r := &run{signals: signals, o: o, pid: pid, terminal: inForeground(pid)}
	defer func() { r.ooms.close() }()
	r.supervise(ctx)
	o.Guests.close()
	o.Team.waitForCalls(r)
	r.noteEnd(start)
	if r.ctxEnded && !r.deadline.IsZero() { // a process that saves may outlive the shell that started it
		r.endLeftovers()
	}
	if o.Ended != nil {
		r.exit.Stderr = output.stderr.keptSoFar()
		o.Ended(r.exit)
	}
	r.endLeftovers()
	err = errors.Join(output.finish(), o.Team.finish())
	if r.terminal {
		takeTerminal()
	}
	r.exit.Stderr = output.stderr.kept()
	r.exit.Unfinished = o.Team.unfinished() || o.Team == nil && output.stderr.unfinished()
	return r.exit, err
}

// noteEnd notes what is known once the program has ended.
func (r *run) noteEnd(start time.Time) {
	r.exit.Told = !r.deadline.IsZero() || r.exit.Killed
	r.exit.At = time.Now()
	r.exit.Elapsed = r.exit.At.Sub(start)
	r.exit.OOMKills = r.ooms.since()
}

// run is the state of Run's loop.
type run struct {
	signals   *Signals
	o         Options
	pid       int  // of the program; 0 without one
	terminal  bool // the program has the terminal's foreground
	exit      Exit
	ended     bool
	stopped   syscall.Signal // the signal that has stopped the program; 0 while it runs
	deadline  time.Time      // the end of the grace; zero until a SIGTERM came
	giveUp    time.Time      // when a team is no longer waited for, after its SIGKILL; zero for never
	continued bool           // the program has had the SIGCONT that has continued us
	ctxEnded  bool           // ctx has ended, and that was acted upon
	ooms      oomCounter     // none until the program has run for a moment
	termSent  bool           // the program got SIGTERM because ctx ended; the next one from outside is dropped
}

// supervise handles signals and deadlines until the program has ended.
func (r *run) supervise(ctx context.Context) {
	defer context.AfterFunc(ctx, r.signals.wakeUp)()
	chores := r.chores(time.Now())
	for r.reap(); !r.ended; r.reap() {
		r.handleStopped()
		until := earlier(r.deadline, r.followLeash())
		if len(chores) > 0 {
			until = earlier(until, chores[0].due)
		}
		if r.ended {
			return // there was nobody to kill
		}
		sigs := r.signals.next(until)
		for len(chores) > 0 && !time.Now().Before(chores[0].due) {
			chores[0].do()
			chores = chores[1:]
		}
		r.reap() // a signal that comes after the program's end is not passed on, and has no part in the end
		for _, sig := range sigs {
			r.handle(sig)
		}
		r.checkContext(ctx)
		if !r.ended && !r.deadline.IsZero() && !time.Now().Before(r.deadline) {
			r.exit.Killed, r.exit.Grace, r.deadline = true, r.o.Grace, time.Time{}
			r.signalAll(syscall.SIGKILL)
		}
	}
}

// checkContext sends the program a SIGTERM when ctx has ended, unless the program has had one.
func (r *run) checkContext(ctx context.Context) {
	if ctx.Err() == nil || r.ctxEnded {
		return
	}
	r.ctxEnded, r.termSent = true, r.deadline.IsZero() && r.o.Leash == nil
	switch {
	case r.o.Leash != nil:
		r.o.Stop(context.Cause(ctx))
	case r.termSent:
		r.pass(syscall.SIGTERM)
	}
}

// handle acts on a signal that was sent to us.
func (r *run) handle(sig syscall.Signal) {
	if isEnd(sig) {
		r.exit.Asked = sig
	}
	if r.o.Leash != nil && isEnd(sig) {
		r.o.Stop(nil)
		return
	}
	switch sig {
	case syscall.SIGCHLD, syscall.SIGPIPE: // the loop reaps; a broken pipe of ours is an error where we write
	case syscall.SIGCONT:
		if !r.continued {
			r.pass(sig)
		}
		r.continued = false
	case syscall.SIGTERM:
		if r.termSent {
			r.termSent = false // whoever stops a whole cluster sends one to each host: the program has had it
			return
		}
		if r.pass(sig); r.o.Terminated != nil {
			r.o.Terminated()
		}
		r.exit.Stopped = r.exit.Stopped || !r.ended
	default:
		r.pass(sig)
	}
}

// pass sends a signal on, unless the program has ended. The first SIGTERM starts the grace.
func (r *run) pass(sig syscall.Signal) {
	if r.ended {
		return
	}
	r.send(sig)
	if sig == syscall.SIGTERM && r.deadline.IsZero() && !r.exit.Killed {
		r.deadline = time.Now().Add(r.o.Grace)
	}
}

// send sends a signal to the program, or to its process group.
func (r *run) send(sig syscall.Signal) {
	if r.o.Team != nil {
		r.o.Team.signal(sig, r.o.SignalGroup)
		return
	}
	target := r.pid
	if target == 0 {
		return // there is no program; kill(0) would reach our own group
	}
	if r.o.SignalGroup {
		target = -r.pid
	}
	_ = syscall.Kill(target, sig) // where it has ended by itself, the next reap says so
}

// reap takes the status of every child that ended: those that we started, and orphans that became ours.
func (r *run) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := r.o.Team.wait4(r, &status, syscall.WNOHANG|syscall.WUNTRACED|unix.WCONTINUED)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || pid <= 0:
			r.ended = r.ended || r.pid == 0 && r.ctxEnded && err != nil || r.o.Team.isOver()
			return
		case pid == r.pid:
			r.noteStatus(status)
		}
	}
}

// noteStatus notes what wait4 says of the program.
func (r *run) noteStatus(status syscall.WaitStatus) {
	switch {
	case status.Stopped():
		r.stopped = status.StopSignal()
	case status.Continued():
		r.stopped = 0
	case status.Signaled():
		r.ended = true
		r.exit.Signal, r.exit.CoreDumped = status.Signal(), status.CoreDump()
		r.exit.Code = exitCode(status)
	default:
		r.ended = true
		r.exit.Code = exitCode(status)
	}
}
