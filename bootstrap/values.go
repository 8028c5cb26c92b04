package bootstrap

import (
	"io"

	"entrain/bootstrap/launch"
	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/scaffold"
	"entrain/bootstrap/world"
	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
	"entrain/proc"
)

// The values that the command line gives and gets. The rooms behind say what they mean.
type (
	Agent       = plan.Agent
	CodeMeaning = report.CodeMeaning
	Launch      = plan.Launch
	Options     = plan.Options
	OutputError = output.Error
	Owner       = scaffold.Owner
	Pipe        = plan.Pipe
	Place       = scaffold.Place
	Plan        = plan.Plan
	Problem     = contract.Problem
	Rendezvous  = plan.Rendezvous
	Scope       = plan.Scope
	Signals     = proc.Signals
	Stream      = plan.Stream
	Tree        = scaffold.Tree
	UsageError  = plan.UsageError
)

// How much of the world a verb has to know.
const (
	ScopeContract = plan.ScopeContract
	ScopeTrainer  = plan.ScopeTrainer
	ScopeLaunch   = plan.ScopeLaunch
)

// Names and paths that documents and messages use.
const (
	DefaultRoot     = contract.DefaultRoot
	DefaultSpec     = contract.DefaultSpec
	DirVariable     = plan.DirVariable
	CommandVariable = plan.CommandVariable
	LocalJob        = scaffold.LocalJob
	NoSpec          = world.NoSpec
	RshName         = plan.RshName
)

// Defaults are the options of a user who chose nothing.
func Defaults() Options { return plan.Defaults() }

// DefaultTree is the tree of a host alone.
func DefaultTree() Tree { return scaffold.DefaultTree() }

// The words that options take; of each list the first is the default.

// ArgsStyles are the words for Options.ArgsStyle.
func ArgsStyles() []string { return hparams.Styles() }

// EnvStyles are the words for Options.EnvStyle.
func EnvStyles() []string { return contract.EnvStyles() }

// FileFormats are the words for Options.HPFormat.
func FileFormats() []string { return hparams.FileFormats() }

// HostfileFormats are the words for Inspection.Hostfile.
func HostfileFormats() []string { return mpi.Formats() }

// Launchers are the words for Options.Launcher.
func Launchers() []string { return plan.Launchers() }

// Agents are the words for Options.Agent.
func Agents() []string { return plan.Agents() }

// RecordForms are the words for Pipe.Form.
func RecordForms() []string { return plan.RecordForms() }

// Codecs are the words for Pipe.Decode and Pipe.Encode.
func Codecs() []string { return plan.Codecs() }

// Wrappers are the words for Tree.Platform.Wrapper.
func Wrappers() []string { return scaffold.Wrappers() }

// ExitCodes are the exit codes of all verbs, for documents.
func ExitCodes() []CodeMeaning { return report.ExitCodes() }

// ExitCode is what the process ends with: 0 for no error, and for no other.
func ExitCode(err error) int { return report.ExitCode(err) }

// Getenv looks a variable up in KEY=VALUE words.
func Getenv(env []string, name string) (string, bool) { return contract.Getenv(env, name) }

// Nearest is the one of some names that a misspelt name may have been meant to be, empty where none looks like it.
func Nearest(name string, names []string) string { return contract.NearestName(name, names) }

// Variables are those of entrain that no flag has.
func Variables() []string { return plan.Variables() }

// IsVariable says whether entrain reads a variable, or sets it for a trainer that may start entrain again.
func IsVariable(name string) bool { return plan.IsVariable(name) }

// NearestVariable is the hint that a name may have been meant by another one; empty where none looks like it.
func NearestVariable(name string, names []string) string { return plan.NearestVariable(name, names) }

// MaskWords replaces the secrets in the words of a command line.
func MaskWords(words []string) []string { return contract.MaskWords(words) }

// MaskEnv hides the secrets of an environment and of a command, before there is an Inspection.
func MaskEnv(env, words []string) func(text string) string {
	return contract.SecretsOfEnv(env, words...).Mask
}

// ShellQuote writes a word so that a POSIX shell reads it back.
func ShellQuote(word string) string { return plan.ShellQuote(word) }

// ParseSignal reads a signal as kill(1) does: 15, TERM or SIGTERM. It returns the signal's number.
func ParseSignal(text string) (int, error) {
	sig, err := proc.ParseSignal(text)
	return int(sig), err
}

// ParseOwner reads UID or UID:GID.
func ParseOwner(text string) (*Owner, error) { return scaffold.ParseOwner(text) }

// NewPlace looks where a directory is.
func NewPlace(dir, name string) Place { return scaffold.NewPlace(dir, name) }

// WriteTree writes a contract tree that is valid, or nothing.
func WriteTree(dir string, t Tree) error { return scaffold.Write(dir, t) }

// WriteTrees writes the trees of all hosts, and what docker compose needs to run them together.
func WriteTrees(dir string, t Tree) error { return scaffold.WriteAll(dir, t) }

// PreparePlatform writes a tree that is to be served, or makes sure that one which is present is what was asked for.
func PreparePlatform(dir string, t Tree, env []string) error {
	return scaffold.PreparePlatform(dir, t, env)
}

// WriteKey writes a new cluster key for an owner; nil is this user.
func WriteKey(path string, owner *Owner) error { return scaffold.WriteKey(path, owner) }

// Install copies a program so that nobody ever runs half of it.
func Install(from, to string) error { return scaffold.Install(from, to) }

// Stderr is standard error, for the log.
func Stderr() io.Writer { return proc.Log(2) }

// Build says which of two builds this is. A plain build does not know every signal that was ignored when it was started.
func Build() string {
	if proc.RecordsInherited() {
		return "own entry point"
	}
	return "plain build"
}

// Relay is proc.Relay.
func Relay(args, env []string) error { return proc.Relay(args, env) }

// Catch takes over the process's signals. A PID 1 that does not catch a signal loses it, or dies of it without a word.
func Catch() *Signals { return proc.Catch() }

// Rank is what a launcher starts on every host, once a rank.
func Rank(args, env []string) error { return launch.RunRank(args, env) }

// Rsh is what a launcher calls in place of a remote shell.
func Rsh(dir string, args []string) (int, error) { return launch.Rsh(dir, args) }

// Ran says whether a rank's trainer ran: how it ended is then known by its own words.
func Ran(err error) bool { return launch.Ran(err) }

// Report leaves an error in the failure file of the contract under root. See report.Write.
func Report(root string, mask func(string) string, err error) error {
	return report.Write(root, mask, err)
}
