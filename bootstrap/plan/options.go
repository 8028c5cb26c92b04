package plan

import (
	"time"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// Options are the user's choices. The command line has checked each of them by itself.
type Options struct {
	Command     []string // the words after --
	KeepTrain   bool     // a last word "train" belongs to the command
	CalledTrain bool     // the verb was the platform's word "train", and no -- followed
	ArgsStyle   hparams.Style
	EnvStyle    contract.EnvStyle
	GNU         hparams.GNU        // how the styles gnu and json write flags
	HPFile      string             // the path of a file for the hyperparameters; empty for no file
	HPFormat    hparams.FileFormat // the format of HPFile; empty for the format that its ending says
	WaitTimeout time.Duration      // for all hosts, in total
	DNSOnly     bool               // the hosts file is not asked
	Rendezvous  RendezvousOptions
	Stdin       string // the channel that is the trainer's standard input; empty for none
	Feeds       []Feed // the channels that the trainer reads from FIFOs
	Pipe        Pipe   // how that channel is streamed
	Slots       int    // the number of ranks on this host; with 0 the job decides
	Launcher    string // one of Launchers
	MPIRun      string // the launcher's name or path
	Agent       Agent
	Until       string // one of Untils: whose end is the end of the job
	// MaxRestarts is how often a trainer or a rank that failed by itself makes all of them start again.
	MaxRestarts int
	TagOutput   bool // a tag with the rank stands in front of each line of output
	// LaunchTimeout is how long a launcher may take to start the ranks of all hosts. A script has no such bound.
	LaunchTimeout time.Duration
	End           End
	Source        SourceLimits
	Install       bool // what the job's program needs is installed before it starts
	// Mask replaces secrets by stars. A masked plan is only shown. It is never carried out.
	Mask bool

	ignoreKey bool // a mistake in the cluster key counts as no key
}

// RendezvousOptions are the user's choices for the rendezvous.
type RendezvousOptions struct {
	On          bool
	Port        int           // the TCP port of the leader
	PeerTimeout time.Duration // a host that is silent for longer counts as lost
	Ignore      bool          // a host that fails does not end the others
	RequireKey  bool          // without a cluster key, several hosts do not start
}

// Defaults returns the options of a user who has chosen nothing.
func Defaults() Options {
	return Options{
		ArgsStyle: hparams.StyleToolkit, EnvStyle: contract.EnvToolkit, GNU: hparams.GNU{Bool: hparams.BoolFlag},
		WaitTimeout: 15 * time.Minute,
		Until:       UntilAll,
		Launcher:    LauncherAuto, MPIRun: "mpirun", Agent: AgentAuto, LaunchTimeout: 2 * time.Minute,
		Pipe:       DefaultPipe(),
		Rendezvous: RendezvousOptions{On: true, Port: 7791, PeerTimeout: 30 * time.Second},
		// The platform sends SIGKILL 120 s after SIGTERM. The last 10 s are for the report.
		End: End{Grace: 110 * time.Second},
		// More than a project has, and less than what fills a disk. gzip itself reaches a ratio of 1,000.
		Source: SourceLimits{MB: 4096, Files: 200_000, Ratio: 500}, Install: true,
	}
}

// UsageError is a mistake in the call of entrain.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// LauncherError says why a launcher cannot be used.
type LauncherError struct {
	Program string // the launcher, for the message
	Code    int    // the exit code that a shell would give: 126 not executable, 127 not found
	Problem string
	Hint    string
}

func (e *LauncherError) Error() string { return e.Program + ": " + e.Problem + "\nhint: " + e.Hint }

// The words that options take. Of each list the first is the default.

// ArgsStyles are the words for Options.ArgsStyle.
func ArgsStyles() []string { return hparams.Styles() }

// BoolForms are the words for Options.GNU.Bool.
func BoolForms() []string { return hparams.BoolForms() }

// EnvStyles are the words for Options.EnvStyle.
func EnvStyles() []string { return contract.EnvStyles() }

// FileFormats are the words for Options.HPFormat.
func FileFormats() []string { return hparams.FileFormats() }

// HostfileFormats are the formats of a hostfile.
func HostfileFormats() []string { return mpi.Formats() }
