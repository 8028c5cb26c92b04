package proc

import (
	"fmt"
	"syscall"
	"time"
)

// Exit is how a program ended.
type Exit struct {
	Code       int            // what it exited with; 128 + Signal where a signal ended it
	Signal     syscall.Signal // 0 where it exited by itself
	CoreDumped bool
	Told       bool          // it was sent a SIGTERM before it ended, not by a leash
	Stopped    bool          // and that SIGTERM had been sent to us: somebody stops the job
	Killed     bool          // it outlived the grace and was killed by us
	Grace      time.Duration // from the SIGTERM to that; 0 where a leash decided it
	Unfinished bool          // the last line of its stderr has no end
	Left       int           // processes that it left behind and that could not be killed
	OOMKills   int           // how many processes of this control group the kernel killed meanwhile for lack of memory
	Elapsed    time.Duration
	At         time.Time // when it ended
	Stderr     []byte    // the last of what it wrote there, behind what followed a marker; nil without capture
}

// ExitError is the error of a program that ran and did not succeed.
type ExitError struct {
	Program string
	Exit
	Hint string // what to do about it; empty where nobody knows
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

// byTerm says whether SIGTERM ended the program, or a child for which it answers as a shell does.
func (e *ExitError) byTerm() bool { return e.Code == 128+int(syscall.SIGTERM) }
