// Package cause finds in the end of a program's output why the program failed, and writes the text of the
// failure file. It is pure: it takes bytes and numbers and returns text.
//
// It works in four steps. The output becomes lines as a terminal shows them (lines.go). Each line loses its
// tag, and lines with the same tag belong to the same process (tags.go). Each family of programs has a reader
// (python.go, native.go, mpi.go, and so on). A reader returns findings: what a process said about a failure,
// where, and of which kind. The rules of choose.go choose one finding.
package cause

import (
	"bytes"
	"strings"
)

// End is how the program ended: by the signal Signal, or with the exit code Code if Signal is 0.
type End struct {
	Code   int
	Signal int
}

// Cause returns the line of the output that says why the program failed, without its tag. It returns "" if no
// line says it.
func Cause(output []byte, end End) string {
	return newText(readable(output)).cause(end).text
}

// Follows reports whether the line that says why the program failed only says that another process has gone.
func Follows(output []byte, end End) bool {
	f := newText(readable(output)).cause(end)
	return f.kind == peer || strings.HasPrefix(f.text, "rank ") && isPeer(f.text)
}

// NamesPeer reports whether a line about a failure only says that another process has gone.
func NamesPeer(line string) bool { return isPeer(line) }

// JobCode returns the exit code of the job that a program ran. It is the program's own code, except for
// torchrun. Torchrun always ends with 1 when a worker fails, and names the worker's code at the end of its
// output.
func JobCode(output []byte, end End) int {
	if end.Code != 1 || end.Signal != 0 || !bytes.Contains(output, []byte(rootCauseHead)) {
		return end.Code
	}
	t := newText(readable(output))
	root, found := t.rootCause()
	if !found || root.code() == 0 || t.plainAfter(root.last) > nearEnd {
		return end.Code
	}
	return root.code()
}

// nearEnd is the number of lines of other output that may follow torchrun's block. After more lines the block
// no longer counts as the end of the output.
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

// finding is what one process said about a failure.
type finding struct {
	at, last int // its first and last line in the whole text
	tag      string
	text     string // one line
	kind     kind
	deadly   bool // the process cannot have survived this failure
	chained  bool // Python raised it while another exception was handled
	follower bool // a message about the consequence of a failure that an earlier line reports
	usage    bool // the program did not understand its arguments
}

// text is the whole output together with the findings in it.
type text struct {
	lines       []line
	findings    []finding // sorted by their first line
	plain       []bool    // for each line: it has words, and belongs to no finding
	plainBefore []int     // for each line: the number of plain lines before it
	blocks      []rootCause
}
