package proc

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how Run treats a program and ends it.
type Options struct {
	Grace       time.Duration  // from the first SIGTERM to SIGKILL
	SignalGroup bool           // signals go to the program's process group, not to it alone
	Stdin       int            // what the program reads, which is closed here then; 0 is our own
	NoCapture   bool           // stderr is passed on as it is, and its last lines are not kept
	Marker      string         // in a line of stderr: what follows its last one is kept beside the last lines
	ParentDeath syscall.Signal // comes when the process that started us ends; 0 for none. Of no use as PID 1
	Memory      int64          // bytes that entrain may use before it collects garbage harder; 0 for 32 MiB
	Terminated  func()         // is called when a SIGTERM was passed on that ctx is not the reason of; nil for none
	Ended       func(Exit)     // is called when the program has ended, before what it left behind has; nil for none
	Guests      *Guests        // processes beside the program; nil for none
	Leash       *Leash         // decides the end in place of Grace; nil for none
	Stop        func(error)    // with a leash, is called on a SIGTERM with nil, and when ctx ends with its cause
}

// Run starts a program and is its init until it ends: it passes signals on, reaps every orphan, and leaves no
// process behind. When ctx ends the program gets SIGTERM as if that had been sent. Without a program there are only
// guests, and Run returns when ctx has ended, or all have been killed, and no process is left.
//
// One goroutine owns signals and wait4(-1) both: a second waiter would steal exit statuses, and a process that this
// one has not reaped cannot have lost its number. The caller's thread is locked for good: the kernel kills the program
// when the thread that has started it ends.
func Run(ctx context.Context, signals *Signals, cmd Cmd, o Options) (Exit, error) {
	if err := adopt(o.ParentDeath); err != nil {
		return Exit{}, err
	}
	stderr, err := newCapture(o.NoCapture || len(cmd.Argv) == 0, o.Marker)
	if err != nil {
		return Exit{}, err
	}
	runtime.LockOSThread()
	start := time.Now()
	pid, err := o.start(cmd, stderr.childFd())
	stderr.start()
	if err != nil {
		return Exit{}, errors.Join(err, stderr.finish())
	}
	r := &run{signals: signals, o: o, pid: pid, terminal: inForeground(pid)}
	ooms := openOOMCounter(groupsOfThis, groupsMount)
	defer ooms.close()
	r.supervise(ctx)
	o.Guests.close()
	r.noteEnd(start, ooms)
	if r.asked && !r.deadline.IsZero() { // who saves below a shell that has ended is still at work
		r.stragglers()
	}
	if o.Ended != nil {
		r.exit.Stderr = stderr.lastWords()
		o.Ended(r.exit)
	}
	r.stragglers()
	err = stderr.finish()
	if r.terminal {
		takeTerminal()
	}
	r.exit.Stderr, r.exit.Unfinished = stderr.kept(), stderr.unfinished()
	return r.exit, err
}

// noteEnd notes what is known once the program has ended.
func (r *run) noteEnd(start time.Time, ooms oomCounter) {
	r.exit.Told = !r.deadline.IsZero() || r.exit.Killed
	r.exit.At = time.Now()
	r.exit.Elapsed = r.exit.At.Sub(start)
	r.exit.OOMKills = ooms.since()
}

type run struct {
	signals  *Signals
	o        Options
	pid      int
	terminal bool // the program has the terminal's foreground
	exit     Exit
	ended    bool
	stopped  syscall.Signal // what the program is stopped by; 0 while it runs
	deadline time.Time      // of the grace; zero until a SIGTERM came
	resumed  bool           // the SIGCONT that we got ourselves is passed on already
	asked    bool           // ctx has ended
	echo     bool           // and the program got a SIGTERM for that: the next one that is sent says the same
}

func (r *run) supervise(ctx context.Context) {
	defer context.AfterFunc(ctx, r.signals.wakeUp)()
	chores := r.chores(time.Now())
	for r.reap(); !r.ended; r.reap() {
		r.mindStop()
		until := earlier(r.deadline, r.pull())
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
		r.reap() // a signal that comes after the end is not passed on, and has had no part in it
		for _, sig := range sigs {
			r.take(sig)
		}
		r.obey(ctx)
		if !r.ended && !r.deadline.IsZero() && !time.Now().Before(r.deadline) {
			r.exit.Killed, r.exit.Grace, r.deadline = true, r.o.Grace, time.Time{}
			r.signalAll(syscall.SIGKILL)
		}
	}
}

// obey passes a SIGTERM on when ctx has ended, unless the program has had one.
func (r *run) obey(ctx context.Context) {
	if ctx.Err() == nil || r.asked {
		return
	}
	r.asked, r.echo = true, r.deadline.IsZero() && r.o.Leash == nil
	switch {
	case r.o.Leash != nil:
		r.o.Stop(context.Cause(ctx))
	case r.echo:
		r.pass(syscall.SIGTERM)
	}
}

// earlier is the first of two moments; a zero one never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (r *run) take(sig syscall.Signal) {
	if r.o.Leash != nil && isEnd(sig) {
		r.o.Stop(nil)
		return
	}
	switch sig {
	case syscall.SIGCHLD, syscall.SIGPIPE: // the loop reaps; a broken pipe of ours is an error where we write
	case syscall.SIGCONT:
		if !r.resumed {
			r.pass(sig)
		}
		r.resumed = false
	case syscall.SIGTERM:
		if r.echo {
			r.echo = false // who stops a whole cluster sends one to each host: the program has had it
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

// pass sends a signal on, unless there is nobody any more.
func (r *run) pass(sig syscall.Signal) {
	if r.ended {
		return
	}
	r.send(sig)
	if sig == syscall.SIGTERM && r.deadline.IsZero() && !r.exit.Killed {
		r.deadline = time.Now().Add(r.o.Grace)
	}
}

func (r *run) send(sig syscall.Signal) {
	target := r.pid
	if target == 0 {
		return // to nobody; kill(0) would be our own group
	}
	if r.o.SignalGroup {
		target = -r.pid
	}
	_ = syscall.Kill(target, sig) // it may have ended by itself: the next reap says so
}

// reap takes the status of every child that ended, ours or an orphan that came to us.
func (r *run) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := r.o.Guests.wait4(&status, syscall.WNOHANG|syscall.WUNTRACED|unix.WCONTINUED)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || pid <= 0:
			r.ended = r.ended || r.pid == 0 && r.asked && err != nil
			return
		case pid == r.pid:
			r.note(status)
		}
	}
}

func (r *run) note(status syscall.WaitStatus) {
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
