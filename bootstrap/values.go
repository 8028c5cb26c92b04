package bootstrap

import (
	"io"

	"entrain/bootstrap/launch"
	"entrain/bootstrap/output"
	"entrain/bootstrap/report"
	"entrain/bootstrap/world"
	"entrain/contract"
	"entrain/proc"
)

// What the command line needs beside plan and scaffold. The rooms behind say what each of these means.

type (
	// Problem is something that is wrong with a contract.
	Problem = contract.Problem
	// OutputError is an output that could not be written.
	OutputError = output.Error
	// Signals are those of the process, once it has taken them over.
	Signals = proc.Signals
)

// Names that the command line uses.
const (
	DefaultRoot = contract.DefaultRoot
	DefaultSpec = contract.DefaultSpec
	NoSpec      = world.NoSpec
)

// ExitCode is what the process ends with: 0 for no error, and for no other.
func ExitCode(err error) int { return report.ExitCode(err) }

// ExitCodes are all exit codes, for documents.
func ExitCodes() []report.CodeMeaning { return report.ExitCodes() }

// Report leaves an error in the failure file of the contract under root, and returns it.
func Report(root string, mask func(string) string, err error) error {
	return report.Write(root, mask, err)
}

// Printable removes from a text what a terminal would act on instead of showing it.
func Printable(text string) string { return report.Printable(text) }

// ParseSignal reads a signal as kill(1) does (15, TERM or SIGTERM) and returns its number.
func ParseSignal(text string) (int, error) {
	sig, err := proc.ParseSignal(text)
	return int(sig), err
}

// Catch takes over the process's signals. A PID 1 that does not catch a signal loses it, or dies of it
// without a word.
func Catch() *Signals { return proc.Catch() }

// Relay is proc.Relay.
func Relay(args, env []string) error { return proc.Relay(args, env) }

// Stderr is standard error, for the log.
func Stderr() io.Writer { return proc.Log(2) }

// Build says which of two builds this is. A plain build does not know every signal that was ignored when it
// was started.
func Build() string {
	if proc.RecordsInherited() {
		return "own entry point"
	}
	return "plain build"
}

// Rank is what a launcher starts on every host, once a rank.
func Rank(args, env []string) error { return launch.RunRank(args, env) }

// Rsh is what a launcher calls in place of a remote shell, and sshd on a worker.
func Rsh(dir string, args, env []string) (int, error) { return launch.Rsh(dir, args, env) }

// Ran says whether a rank's trainer ran: how it ended is then known by its own words.
func Ran(err error) bool { return launch.Ran(err) }
