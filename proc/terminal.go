package proc

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inForeground says whether stdin is our terminal, and the process group has its foreground.
func inForeground(group int) bool {
	current, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && current == group
}

// handleStopped acts on a program that a signal has stopped. A program that is to end is continued, since
// it cannot act on its SIGTERM otherwise. If job control has stopped it (Ctrl-Z, a read in the background),
// we stop too, so that the shell that started us shows its prompt. A program that SIGSTOP has stopped stays
// so: a debugger may have done that.
func (r *run) handleStopped() {
	by := r.stopped
	if by != 0 && !r.deadline.IsZero() {
		r.stopped = 0
		r.send(syscall.SIGCONT)
		return
	}
	if os.Getpid() == 1 { // the kernel does not stop a PID 1: the program stays stopped until its SIGTERM
		return
	}
	switch by {
	case syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		r.stopped = 0
		r.stopToo()
	}
}

// stopToo stops us until somebody continues us, and then continues the program. Ctrl-Z stops the process
// group that has the foreground, which is the program's alone. So stopToo also stops the rest of our own
// group, such as a pipeline.
func (r *run) stopToo() {
	if r.terminal {
		r.signals.stopGroup()
	}
	runtime.LockOSThread() // the signal goes to this thread, which might go on for a while if another one got it
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSTOP)
	runtime.UnlockOSThread()
	if r.terminal && inForeground(unix.Getpgrp()) { // the shell gave us the foreground: the program gets it
		_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, r.pid)
	}
	_ = syscall.Kill(-r.pid, syscall.SIGCONT)
	r.continued = true
}

// stopGroup stops the other processes of our process group, as Ctrl-Z would.
func (s *Signals) stopGroup() {
	signal.Ignore(syscall.SIGTSTP)
	_ = syscall.Kill(0, syscall.SIGTSTP)
	signal.Notify(s.others, syscall.SIGTSTP)
}

// takeTerminal gives our group the foreground again, for the script that started us and goes on. It ignores
// SIGTTOU first: a process in the background that takes the foreground would be stopped by that signal.
func takeTerminal() {
	signal.Ignore(syscall.SIGTTOU)
	_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp())
}
