// Package cause finds in a program's last words why the program failed, and writes the failure file's text.
// It is pure: bytes and numbers in, text out.
//
// It works in four steps. The output becomes lines as a terminal shows them (lines.go). Each line loses its
// tag, and the lines of one tag are those of one process (tags.go). Readers, one for each family of programs,
// find what a process said of a failure: a finding, with its place and its kind (python.go, native.go,
// mpi.go, and so on). The rules of choose.go take one finding.
package cause

import "bytes"

// End is how the program ended: by a code, or by a signal unless Signal is 0.
type End struct {
	Code   int
	Signal int
}

// Cause is the line that says why a program failed, without a tag; "" where its output does not say it.
func Cause(output []byte, end End) string {
	return newText(readable(output)).cause(end).text
}

// JobCode is the exit code of the job that a program ran. It is the program's own code, except for torchrun:
// torchrun ends with 1 whatever its workers end with, and names the real code at the end of its output.
func JobCode(output []byte, end End) int {
	if end.Code != 1 || end.Signal != 0 || !bytes.Contains(output, []byte(rootCauseHead)) {
		return end.Code
	}
	t := newText(readable(output))
	root, found := t.rootCause()
	if !found || root.code() == 0 || t.ordinaryAfter(root.last) > nearEnd {
		return end.Code
	}
	return root.code()
}

// nearEnd is how many lines of other output may follow what still counts as the end.
const nearEnd = 10

// kind says how much a finding tells about the cause. A higher kind wins over a lower one.
type kind int

const (
	none    kind = iota
	wrapper      // only says that another process failed, such as Python's CalledProcessError
	mention      // has a word such as "failed" somewhere
	peer         // only says that another process has gone, such as "Connection reset by peer"
	summary      // a launcher or a library names the process that failed, such as "BAD TERMINATION"
	said         // an error message: "error: ", a log line of level ERROR, a help block of Open MPI
	cause        // the end of a program in its own words: an exception, a panic, an assertion
)

// finding is what one process said of a failure.
type finding struct {
	at, last int // its first and last line in the whole text
	tag      string
	text     string // one line
	kind     kind
	deadly   bool // the process cannot have survived it
	chained  bool // Python raised it while another exception was handled
	follower bool // a help text of Open MPI that comes of something that was said before
	usage    bool // the program did not understand its arguments
}

// text is the whole output, and what the readers found in it.
type text struct {
	lines    []line
	findings []finding // by their place
	plain    []bool    // which lines are part of no finding, and say something
	ordinary []int     // how many of the lines before each are plain
	blocks   []rootCause
}
