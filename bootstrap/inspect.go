package bootstrap

import (
	"context"
	"io"
	"slices"
	"syscall"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
	"entrain/proc"
)

// Inspection is the contract as it was found.
type Inspection struct {
	Job      *contract.Job // nil where the contract is invalid
	Snapshot *contract.Snapshot
	Problems []contract.Problem // never nil

	secrets contract.Secrets
}

// Mask is a text without the secrets of the contract and the environment.
func (in *Inspection) Mask(text string) string { return in.secrets.Mask(text) }

// MaskEnv hides the secrets of an environment and of a command, before there is an Inspection.
func MaskEnv(env, words []string) func(text string) string {
	return contract.SecretsOfEnv(env, words...).Mask
}

// Inspect photographs the world and checks the contract in it, and the algorithm's specification beside it: that at
// spec, or where that is empty the image's own, if it has one. The words are those of the command that is known so far.
func Inspect(ctx context.Context, root string, env []string, spec string, words ...string) *Inspection {
	in := &Inspection{Snapshot: Photograph(ctx, root, env), Problems: []contract.Problem{}}
	photographSpec(in.Snapshot, spec)
	in.secrets = contract.SecretsOf(in.Snapshot, words...)
	job, problems := contract.Load(in.Snapshot)
	in.Job, in.Problems = job, slices.Concat(in.Problems, problems, keyProblems(job, in.Snapshot))
	return in
}

// DataProblems are what is wrong with the channels' data; only a trainer needs that.
func (in *Inspection) DataProblems() []contract.Problem {
	if in.Job == nil {
		return nil
	}
	return contract.CheckData(in.Job, in.Snapshot)
}

// WithData adds the problems of the channels' data to the others.
func (in *Inspection) WithData() *Inspection {
	in.Problems = append(in.Problems, in.DataProblems()...)
	return in
}

// WithAsks adds what the job asks for and nobody would do, and what a trainer would notice late: outputs that cannot be
// written, and hyperparameters that the command loses.
func (in *Inspection) WithAsks(o Options) *Inspection {
	if in.Job == nil {
		return in
	}
	photographPaths(in.Snapshot, contract.CodePaths(in.Job, in.Snapshot), contract.OutputPaths(in.Job))
	words, given := in.commandWords(o)
	in.Problems = append(in.Problems, contract.CheckAsks(in.Job, in.Snapshot, contract.Call{
		Alone: o.Launcher == LauncherNone, Launched: wantsMPI(in.Job, o), Command: given,
	})...)
	in.Problems = append(in.Problems, contract.CheckOutputs(in.Job, in.Snapshot)...)
	in.Problems = append(in.Problems, checkShell(in.Job, words, o)...)
	return in
}

// commandWords are the words of a command that is given; none, but given, where they cannot be read, which Plan says.
func (in *Inspection) commandWords(o Options) (words []string, given bool) {
	words = o.Command
	if n := len(words); n > 0 && words[n-1] == "train" && in.Job.Named() && !o.KeepTrain {
		words = words[:n-1]
	}
	if len(words) > 0 {
		return words, true
	}
	text, given := in.Snapshot.Getenv("ENTRAIN_COMMAND")
	if given {
		words, _ = commandWords(text)
	}
	return words, given
}

// WithLauncher looks for the MPI launcher of a job that wants one, and for what could start its daemons.
func (in *Inspection) WithLauncher(ctx context.Context, o Options) *Inspection {
	if in.Job != nil && wantsMPI(in.Job, o) {
		photographLauncher(ctx, in.Snapshot, o.MPIRun)
	}
	return in
}

// Err is a *contract.InvalidError unless a job can run.
func (in *Inspection) Err() error {
	if len(contract.Errors(in.Problems)) == 0 {
		return nil
	}
	return &contract.InvalidError{Problems: in.Problems}
}

// Plan decides what to do with a valid contract.
func (in *Inspection) Plan(o Options) (*Plan, error) { return Decide(in.Job, in.Snapshot, o) }

// Hostfile is a hostfile for the job in a format of HostfileFormats; slots 0 leaves the count to the job.
func (in *Inspection) Hostfile(format string, slots int) (string, error) {
	hosts, err := hosts(in.Job, slots)
	if err != nil {
		return "", err
	}
	return mpi.Hostfile(mpi.Format(format), hosts)
}

// Problem is contract.Problem.
type Problem = contract.Problem

// DefaultRoot is where the platform puts the contract.
const DefaultRoot = contract.DefaultRoot

// Getenv looks a variable up in KEY=VALUE words.
func Getenv(env []string, name string) (string, bool) { return contract.Getenv(env, name) }

// ArgsStyles are the words for Options.ArgsStyle; of these and the next the first is the default.
func ArgsStyles() []string { return hparams.Styles() }

// EnvStyles are the words for Options.EnvStyle.
func EnvStyles() []string { return contract.EnvStyles() }

// FileFormats are the words for Options.HPFormat.
func FileFormats() []string { return hparams.FileFormats() }

// HostfileFormats are the words for Hostfile.
func HostfileFormats() []string { return mpi.Formats() }

// ParseSignal reads a signal as kill(1) does: 15, TERM or SIGTERM.
func ParseSignal(text string) (syscall.Signal, error) { return proc.ParseSignal(text) }

// Nearest is the one of some names that a misspelt one may have been meant to be, empty where none looks like it.
func Nearest(name string, names []string) string { return contract.NearestName(name, names) }

// MaskWords replaces the secrets in the words of a command line.
func MaskWords(words []string) []string { return contract.MaskWords(words) }

// Stderr is standard error, for the log.
func Stderr() io.Writer { return proc.Log(2) }
