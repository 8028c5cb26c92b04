// Package contract reads the contract: the files and variables by which the platform tells a training
// container its job, usually in /opt/ml. It also makes the SM_* variables that trainers expect.
//
// It is pure: it does not touch the machine. Load turns a Snapshot, which holds everything that entrain
// read at its start, into an immutable Job, or lists everything that is wrong with it. The sources of its
// rules are the platform's page "How Amazon SageMaker Provides Training Information", the API model of
// CreateTrainingJob, and files of real jobs (tests/testdata/samples).
package contract

import "strings"

// DefaultRoot is where the platform puts the contract.
const DefaultRoot = "/opt/ml"

// The configuration files, in ROOT/input/config. The platform writes all three for every job.
const (
	HyperparametersFile = "hyperparameters.json"
	InputDataFile       = "inputdataconfig.json"
	ResourceFile        = "resourceconfig.json"
)

// The files in ROOT/input/data/sm_drivers. Only the ModelTrainer of SDK v3 writes them.
const (
	SourceCodeFile  = "sourcecode.json"
	DistributedFile = "distributed.json"
)

// MaxFileSize is the size of the largest configuration file that entrain reads, in bytes. The platform's own
// limits keep hyperparameters.json under 300 KB.
const MaxFileSize = 8 << 20

// Snapshot holds everything that entrain read from the machine at its start. The decisions use nothing else.
type Snapshot struct {
	Root string   // the contract's directory, usually /opt/ml
	Env  []string // KEY=VALUE, in the order and with the duplicates of the process
	Dir  string   // the working directory

	Files  map[string]File  // the configuration files by name; those of SDK v3 only if they exist
	Config []string         // the names in ROOT/input/config; none if the three files are there
	Data   map[string]Entry // the entries of ROOT/input/data by name

	Machine    Machine
	Interfaces []string        // the names of the network interfaces; none if they are unknown
	Programs   map[string]bool // the programs that some rule asks for, and whether each is in PATH

	// Modules says whether the first Python in PATH has the modules that some rule asks for.
	Modules map[string]bool

	Paths    map[string]Entry  // what is at the paths of CodePaths; a path without anything is not in it
	Unpacked bool              // this process has unpacked the job's code; Paths was looked at after that
	Outputs  map[string]Output // what is at the paths of OutputPaths, likewise

	ClusterKey     File   // the secret that the hosts of a cluster share; the zero File if there is none
	ClusterKeyMode uint32 // its permission bits; 0 if they are unknown

	Spec     File   // the file with the algorithm's specification
	SpecPath string // its path; empty if there is none

	ArgMax   int      // the bytes that the kernel accepts as arguments and environment together; 0 if unknown
	UID      int      // the user that this program runs as
	Self     string   // the path of this program
	Caller   Caller   // who started this program
	Launcher *Program // the MPI launcher; nil unless the job wants one
}

// Caller says who started this program, and so who may have added the last word of the command line.
type Caller uint8

// The callers.
const (
	CallerOther     Caller = iota // a shell, a script, a service manager
	CallerPlatform                // SageMaker or the SDK's local mode: both set TRAINING_JOB_NAME
	CallerContainer               // a container engine, or the init that it adds (docker run --init)
)

// Program is a program whose version entrain asked for.
type Program struct {
	// Path is the name or path that the user gave. It stays as it is: with an absolute path, Open MPI would set
	// LD_LIBRARY_PATH for its ranks.
	Path    string
	Version string // the text that it printed
	Problem string // why it cannot be used, e.g. "not found in PATH …"
	Found   bool   // the program exists; with a Problem it still cannot be used
}

// File is a configuration file, or the reason why it could not be read.
type File struct {
	Data    []byte
	Problem string // e.g. "is a directory"; empty if Data was read
}

// Entry is what a path leads to: one name in ROOT/input/data, or one of CodePaths.
type Entry struct {
	Kind    Kind
	Empty   bool   // a directory without entries
	Problem string // why it could not be looked at or read

	// Unrunnable says why this program's user cannot execute a file of CodePaths, e.g. "is not executable". It
	// is empty if the user can.
	Unrunnable string
	NoExec     bool     // its mount runs no programs
	Shebang    []string // the words behind #! in its first line: an interpreter, and at most one argument
	// NoInterpreter says that the interpreter of Shebang does not exist.
	NoInterpreter bool
	// Marked says that a byte order mark hides the #! of its first line.
	Marked bool
	ELF    bool // it is machine code, which no interpreter starts
}

// Kind is the kind of a file. A symbolic link has the kind of its target.
type Kind uint8

// The kinds that some rule asks for.
const (
	KindOther Kind = iota
	KindDir
	KindFIFO
	KindFile
)

// Machine counts the processors that the container has.
type Machine struct {
	// CPUs counts the online CPUs of the system, as Python's os.cpu_count() does. It ignores affinity and the
	// quota of a cgroup.
	CPUs int
	// GPUs counts the NVIDIA devices, as nvidia-smi --list-gpus does.
	GPUs int
	// NeuronCores counts the cores of AWS accelerators, as neuron-ls does.
	NeuronCores int
}

// Getenv returns the value of a variable, and whether it is set.
func (s *Snapshot) Getenv(name string) (string, bool) { return Getenv(s.Env, name) }

// Getenv looks up a variable in KEY=VALUE words. The first of equal names counts, as in getenv(3).
func Getenv(env []string, name string) (string, bool) {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, name); ok && strings.HasPrefix(value, "=") {
			return value[1:], true
		}
	}
	return "", false
}
