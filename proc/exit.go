package proc

import (
	"fmt"
	"syscall"
	"time"
)

// Exit is how a program ended.
type Exit struct {
	Code       int            // its exit code; 128 + Signal where a signal ended it
	Signal     syscall.Signal // that ended it; 0 where it exited by itself
	CoreDumped bool
	Told       bool           // it got SIGTERM before it ended, other than by a leash, or we killed it
	Stopped    bool           // somebody had sent that SIGTERM to us, to stop the job
	Asked      syscall.Signal // the last signal to us that asks for the end of the job; 0 for none
	Killed     bool           // it outlived the grace, and we killed it
	Grace      time.Duration  // from the SIGTERM to the SIGKILL; 0 where a leash decided
	Unfinished bool           // the last line of its stderr lacks its newline
	Left       int            // processes that it left behind and that could not be killed
	OOMKills   int            // processes of our control group that the kernel killed for lack of memory
	Elapsed    time.Duration  // from its start to its end
	At         time.Time      // when it ended
	Stderr     []byte         // what followed a marker, and then the end of its stderr; nil without capture
}

// ExitError is the error of a program that ran and did not succeed.
type ExitError struct {
	Program string
	Exit
	Hint string // what the user can do about it; may be empty
}

func (e *ExitError) Error() string {
	text := e.Program + ": " + e.How()
	if elapsed := e.Elapsed.Round(time.Millisecond).String(); e.Killed {
		text += ", " + elapsed + " in all"
	} else {
		text += " after " + elapsed
	}
	if e.Hint != "" {
		text += "\nhint: " + e.Hint
	}
	return text
}

// How says how the program ended, in one line.
func (e *ExitError) How() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != 0 {
		how = "killed by " + signalName(e.Signal)
	}
	if e.CoreDumped {
		how += ", core dumped"
	}
	switch {
	case e.Killed && e.Grace > 0:
		how += fmt.Sprintf(": still running %s after SIGTERM (--grace)", e.Grace)
	case e.Killed:
		how += ": still running at the end of the grace"
	case e.Stopped && !e.byTerm():
		how += " (told to stop by SIGTERM)"
	}
	if e.OOMKills > 0 {
		how += ", out of memory (the kernel killed a process of this container)"
	}
	return how
}

// byTerm says whether SIGTERM ended the program, or ended a child whose exit code the program gives as its
// own, as a shell does.
func (e *ExitError) byTerm() bool { return e.Code == 128+int(syscall.SIGTERM) }
