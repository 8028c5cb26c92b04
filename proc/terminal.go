package proc

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inForeground says whether stdin is a terminal of ours with this process group in its foreground.
func inForeground(group int) bool {
	current, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && current == group
}

// mindStop looks after a program that is stopped. One that is to end cannot act on its SIGTERM: it is continued. One
// that job control has stopped (Ctrl-Z, a read in the background) stops us too, so that the shell that started us has
// its prompt back. One that was stopped by SIGSTOP may be in a debugger's hands, which is between the two of them.
func (r *run) mindStop() {
	by := r.stopped
	if by != 0 && !r.deadline.IsZero() {
		r.stopped = 0
		r.send(syscall.SIGCONT)
		return
	}
	if os.Getpid() == 1 {
		return // there is no shell to go back to, and the kernel would not stop us: the program stays stopped until its SIGTERM
	}
	switch by {
	case syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		r.stopped = 0
		r.stopToo()
	}
}

// stopToo returns when somebody has continued us, and the program goes on as well. What is typed on a terminal stops a
// whole pipeline, but only the program's group was in the foreground: the rest of ours is told here.
func (r *run) stopToo() {
	if r.terminal {
		r.signals.stopGroup()
	}
	runtime.LockOSThread() // to this thread: sent to the process another one may take it, and this one go on for a while
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSTOP)
	runtime.UnlockOSThread()
	if r.terminal && inForeground(unix.Getpgrp()) { // the shell gave the terminal to our group: hand it on
		_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, r.pid)
	}
	_ = syscall.Kill(-r.pid, syscall.SIGCONT)
	r.resumed = true
}

// stopGroup stops all of our process group but ourselves, as Ctrl-Z would.
func (s *Signals) stopGroup() {
	signal.Ignore(syscall.SIGTSTP)
	_ = syscall.Kill(0, syscall.SIGTSTP)
	signal.Notify(s.others, syscall.SIGTSTP)
}

// takeTerminal puts our group into the foreground again, for the script that started us and goes on. A process in the
// background that does so is stopped by SIGTTOU, or asked for ever if it catches that.
func takeTerminal() {
	signal.Ignore(syscall.SIGTTOU)
	_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp())
}
