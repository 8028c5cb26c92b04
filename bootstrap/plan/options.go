package plan

import (
	"time"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// Options are what the user chose. The command line has checked each of them by itself.
type Options struct {
	Command     []string // the words after --
	KeepTrain   bool     // a last word "train" belongs to the command
	CalledTrain bool     // the verb was the platform's word "train", and no -- followed
	ArgsStyle   hparams.Style
	EnvStyle    contract.EnvStyle
	NegateFalse bool               // gnu: false is --no-flag
	HPFile      string             // where to write the hyperparameters; empty for nowhere
	HPFormat    hparams.FileFormat // format of HPFile; empty for what its ending says
	WaitTimeout time.Duration      // for all hosts, in total
	DNSOnly     bool               // leave out the hosts file
	Rendezvous  RendezvousOptions
	Stdin       string // the channel that the trainer reads as its standard input; empty for none
	Pipe        Pipe
	Slots       int // ranks on this host; 0 leaves it to the job
	Launcher    string
	MPIRun      string // the launcher's name or path
	Agent       Agent
	End         End
	// Mask replaces secrets by stars. A masked plan is for people to look at, and is never carried out.
	Mask bool
}

// RendezvousOptions are what the user can choose of the rendezvous.
type RendezvousOptions struct {
	On          bool
	Port        int           // the leader's
	PeerTimeout time.Duration // how long a host may be away before it counts as lost
	Ignore      bool          // a host that fails does not end the others
}

// Defaults are the options of a user who chose nothing.
func Defaults() Options {
	return Options{
		ArgsStyle: hparams.StyleToolkit, EnvStyle: contract.EnvToolkit,
		WaitTimeout: 15 * time.Minute,
		Launcher:    LauncherAuto, MPIRun: "mpirun", Agent: AgentAuto,
		Pipe:       DefaultPipe(),
		Rendezvous: RendezvousOptions{On: true, Port: 7791, PeerTimeout: 30 * time.Second},
		// The platform sends SIGKILL 120 s after SIGTERM. The 10 s between are for the report.
		End: End{Grace: 110 * time.Second},
	}
}

// UsageError is a mistake in how entrain was called.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// LauncherError says why a launcher cannot be used.
type LauncherError struct {
	Program string
	Code    int // as a shell has it: 126 found but not executable, 127 not found
	Problem string
	Hint    string
}

func (e *LauncherError) Error() string { return e.Program + ": " + e.Problem + "\nhint: " + e.Hint }

// The words that options take. Of each list the first is the default.

// ArgsStyles are the words for Options.ArgsStyle.
func ArgsStyles() []string { return hparams.Styles() }

// EnvStyles are the words for Options.EnvStyle.
func EnvStyles() []string { return contract.EnvStyles() }

// FileFormats are the words for Options.HPFormat.
func FileFormats() []string { return hparams.FileFormats() }

// HostfileFormats are the formats of a hostfile.
func HostfileFormats() []string { return mpi.Formats() }
