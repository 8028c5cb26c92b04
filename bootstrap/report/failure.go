package report

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"entrain/bootstrap/report/cause"
	"entrain/proc"
)

// FailureText is what the platform shows of a failure: valid UTF-8, at most 1,024 characters, the cause
// first. Of a trainer that failed this is its own last word; then come how it ended, the hints, and as many
// of its last lines as there is room for. What mask hides is hidden before anything is cut.
func FailureText(err error, mask func(string) string, hints ...string) string {
	f := cause.Failure{Hints: hints}
	if launch, launched := errors.AsType[*LaunchError](err); launched {
		f.Head, f.How, f.Output, f.End = launch.Error(), launch.Exit.Error(), launch.Exit.Stderr, endOf(launch.Exit)
		return cause.Text(f, mask)
	}
	exit, ok := errors.AsType[*proc.ExitError](err)
	stop, stopped := errors.AsType[*StoppedError](err)
	if stopped {
		exit, ok, f.Head = stop.Exit, true, stop.Cause.Error()
	}
	if !ok {
		return cause.Fit(strings.Join(append([]string{mask(err.Error())}, hints...), "\n"))
	}
	f.How, f.Output, f.End = exit.Error(), exit.Stderr, endOf(exit)
	return cause.Text(f, mask)
}

// Summary is a failure in one line, as the other hosts are told of it.
func Summary(err error) string {
	if err == nil {
		return ""
	}
	if exit, ok := errors.AsType[*proc.ExitError](err); ok {
		how := exit.How()
		if line := cause.Cause(exit.Stderr, endOf(exit)); line != "" {
			how += ": " + line
		}
		return how
	}
	lines := strings.Split(err.Error(), "\n")
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(hintLast(a), hintLast(b)) })
	return strings.Join(slices.Compact(lines), "; ")
}

// hintLast orders lines: where several problems are one line, their hints come behind all of them.
func hintLast(line string) int {
	if strings.HasPrefix(line, "hint: ") {
		return 1
	}
	return 0
}

func endOf(exit *proc.ExitError) cause.End {
	return cause.End{Code: exit.Code, Signal: int(exit.Signal)}
}

// FailureOf is the error of a program that ended, nil where it succeeded. Its code is that of the job: torchrun ends
// with 1 for every code of its workers. The hint says what to do about it; it may be empty.
func FailureOf(program string, exit proc.Exit, hint string) error {
	if exit.Code == 0 {
		return nil
	}
	exit.Code = cause.JobCode(exit.Stderr, cause.End{Code: exit.Code, Signal: int(exit.Signal)})
	return &proc.ExitError{Program: program, Exit: exit, Hint: hint}
}
