package report

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"entrain/bootstrap/report/cause"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// FailureText returns the text of the failure file for an error: valid UTF-8, at most cause.MaxText
// characters. For a trainer or a launcher, the cause comes first, then how it ended, then the hints, then
// as many of its last lines as fit. For another error, its text and the hints. The function mask replaces
// secrets in a text; it runs before anything is cut.
func FailureText(err error, mask func(string) string, hints ...string) string {
	// Without the characters that nobody sees, a secret between whose letters they stand is a secret too.
	maskShown := func(text string) string { return mask(cause.Printable(text)) }
	f := cause.Failure{Hints: hints}
	if launch, launched := errors.AsType[*LaunchError](err); launched {
		f.Head, f.How = launch.Error(), launch.Exit.Error()
		f.Output, f.End = launch.Exit.Stderr, endOf(launch.Exit.Exit)
		return cause.Text(f, maskShown)
	}
	exit, ok := errors.AsType[*proc.ExitError](err)
	stop, stopped := errors.AsType[*StoppedError](err)
	if stopped {
		exit, ok, f.Head = stop.Exit, true, stop.Cause.Error()
	}
	if install, installed := errors.AsType[*InstallError](err); installed {
		exit, ok, f.Head = install.Exit, true, install.Error()
	}
	if !ok {
		behind := strings.Join(append([]string{""}, hints...), "\n")
		text := maskShown(err.Error())
		if invalid, ok := errors.AsType[*contract.InvalidError](err); ok {
			text = invalid.Brief(cause.MaxText-utf8.RuneCountInString(behind), maskShown)
		}
		text = cause.Fit(text + behind)
		if peer, ok := errors.AsType[*rendezvous.PeerError](err); ok && peer.Last != "" {
			text = cause.Append(text, maskShown(peer.Last))
		}
		return text
	}
	f.How, f.Output, f.End = exit.Error(), exit.Stderr, endOf(exit.Exit)
	return cause.Text(f, maskShown)
}

// Summary returns a failure as one line for the other hosts. It returns "" if err is nil.
func Summary(err error) string {
	if err == nil {
		return ""
	}
	if exit, ok := errors.AsType[*proc.ExitError](err); ok {
		how := exit.How()
		if line := causeOf(exit.Exit); line != "" {
			how += ": " + line
		}
		return how
	}
	lines := strings.Split(err.Error(), "\n")
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(hintLast(a), hintLast(b)) })
	return strings.Join(slices.Compact(lines), "; ")
}

// Follows says whether the last output of a program says only that another process has gone: the failure then
// follows from another one.
func Follows(exit *proc.ExitError) bool { return cause.Follows(exit.Stderr, endOf(exit.Exit)) }

// RankSummary returns how a rank failed as one line: by the message in its error file, if it wrote one, else
// by its last output.
func RankSummary(err error, errorFile []byte) string {
	exit, ok := errors.AsType[*proc.ExitError](err)
	if message := cause.ErrorFile(errorFile); ok && message != "" {
		return exit.How() + ": " + message
	}
	return Summary(err)
}

// RankFailureOf returns the error of torchrun, or of what calls it, on a host: which of its ranks failed
// first, by its output, and why, by that and the error file. Where neither says more than the exit code, it
// is that of the program. The function mask replaces secrets; it runs before anything is cut.
func RankFailureOf(host string, exit *proc.ExitError, errorFile []byte, mask func(string) string) error {
	rank, end, says := cause.FailedRank(exit.Stderr)
	says = cmp.Or(cause.ErrorFile(errorFile), says)
	how := proc.ExitError{Exit: proc.Exit{Code: end.Code, Signal: syscall.Signal(end.Signal)}}
	text := "rank " + rank + ": " + how.How()
	switch {
	case rank == "" && says == "":
		return exit
	case rank == "" || end.Code == 0:
		end.Code, text = exit.Code, exit.How()
	}
	if says != "" {
		text += ": " + cause.OneLine(cause.Fit(mask(says)))
	}
	return &LaunchError{First: &rendezvous.PeerError{Host: host, Code: end.Code, Text: text}, Exit: exit}
}

// Printable removes from a text what a terminal would act on instead of showing it: see cause.Printable.
func Printable(text string) string { return cause.Printable(text) }

// OneLine makes a text printable in one line: see cause.OneLine.
func OneLine(text string) string { return cause.OneLine(text) }

// hintLast is the order of lines in a summary: the hints of all problems come after the problems.
func hintLast(line string) int {
	if strings.HasPrefix(line, "hint: ") {
		return 1
	}
	return 0
}

// endOf is how a program ended, for the package cause.
func endOf(exit proc.Exit) cause.End {
	return cause.End{Code: exit.Code, Signal: int(exit.Signal)}
}

// causeOf returns the line of a program's last output that says why it failed. It is empty if no line does.
func causeOf(exit proc.Exit) string { return cause.Cause(exit.Stderr, endOf(exit)) }

// Said returns what a program said of its failure: the line that says why, and its last traceback of Python,
// whose lines show the source.
func Said(exit proc.Exit) string {
	said := causeOf(exit)
	if i := lastTraceback(exit.Stderr); i >= 0 {
		said += "\n" + string(exit.Stderr[i:])
	}
	return said
}

// lastTraceback returns the offset of the last traceback of Python, and -1 without one. It begins with those
// of the exceptions that led to the last one.
func lastTraceback(stderr []byte) int {
	traceback := []byte("Traceback (most recent call last):")
	first := bytes.LastIndex(stderr, traceback)
	for first >= 0 {
		before := bytes.LastIndex(stderr[:first], traceback)
		if before < 0 {
			break
		}
		between := stderr[before:first]
		if !bytes.Contains(between, []byte("During handling of the above exception, another")) &&
			!bytes.Contains(between, []byte("The above exception was the direct cause of")) {
			break
		}
		first = before
	}
	return first
}

// FailureOf returns the error of a program that ended, or nil if the program succeeded. The error has the
// exit code of the job, which torchrun does not end with itself: see cause.JobCode. The hint says what
// the user can do. It may be empty.
func FailureOf(program string, exit proc.Exit, hint string) error {
	if exit.Code == 0 {
		return nil
	}
	exit.Code = cause.JobCode(exit.Stderr, endOf(exit))
	return &proc.ExitError{Program: program, Exit: exit, Hint: hint}
}
