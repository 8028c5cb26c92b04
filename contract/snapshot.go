// Package contract knows what the platform tells a training container under /opt/ml, and the SM_* environment
// that trainers expect from it.
//
// It is pure: Load turns a Snapshot, a photograph of the world, into an immutable Job, or says everything that
// is wrong with it. The sources of its rules are the platform's page "How Amazon SageMaker Provides Training
// Information", the API model of CreateTrainingJob, and files of real jobs (tests/testdata/samples).
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

// The files of the SDK v3 ModelTrainer, in ROOT/input/data/sm_drivers, where it is used.
const (
	SourceCodeFile  = "sourcecode.json"
	DistributedFile = "distributed.json"
)

// MaxFileSize is the largest configuration file that is read, in bytes. The platform's own limits keep
// hyperparameters.json under 300 KB.
const MaxFileSize = 8 << 20

// Snapshot is the world as it was when entrain started. Nothing behind it is looked at again.
type Snapshot struct {
	Root     string           // the contract's directory, usually /opt/ml
	Env      []string         // KEY=VALUE, in the order and with the duplicates of the process
	Dir      string           // the working directory
	Files    map[string]File  // the configuration files by name; those of SDK v3 only where they exist
	Config   []string         // the names in ROOT/input/config, looked at only where one of the three files is missing
	Data     map[string]Entry // what is in ROOT/input/data, by name
	Machine  Machine
	Programs map[string]bool // which of the programs that some rule asks for are in PATH
	// Paths are what is where CodePaths says to look, OutputPaths where OutputPaths does; what is not there is in neither.
	Paths   map[string]Entry
	Outputs map[string]Output
	// ClusterKey is the file with the secret that the hosts of a cluster share; the zero File where there is none.
	ClusterKey     File
	ClusterKeyMode uint32 // its permission bits; 0 is unknown
	// Spec is the file of the algorithm's specification, SpecPath its name; empty where there is none.
	Spec     File
	SpecPath string
	ArgMax   int // bytes that the kernel takes as arguments and environment together; 0 is unknown
	UID      int
	Self     string   // the path of this program
	Caller   Caller   // who started this program
	Launcher *Program // the MPI launcher; nil unless the job wants one
}

// Caller is who started this program: whose word the last one of the command line is.
type Caller uint8

// The callers.
const (
	CallerOther     Caller = iota // a shell, a script, a service manager
	CallerPlatform                // SageMaker, or the SDK's local mode: they set TRAINING_JOB_NAME
	CallerContainer               // a container's engine, or the init that it puts in front (docker run --init)
)

// Program is a program that says its version.
type Program struct {
	Path    string // as it was asked for: Open MPI takes an absolute path for a wish to set LD_LIBRARY_PATH for its ranks
	Version string // what it printed
	Problem string // why it is of no use, e.g. "not found in PATH …"
	Found   bool   // it is there, and yet of no use
}

// File is a configuration file, or the reason why there is none.
type File struct {
	Data    []byte
	Problem string // e.g. "is a directory"; empty where Data was read
}

// Entry is one name in ROOT/input/data.
type Entry struct {
	Kind    Kind
	Empty   bool   // a directory without entries
	Problem string // why it could not be looked at or read
}

// Kind is what kind of file an Entry is, symbolic links followed.
type Kind uint8

// The kinds that matter to a channel.
const (
	KindOther Kind = iota
	KindDir
	KindFIFO
	KindFile
)

// Machine is what the container has.
type Machine struct {
	// CPUs online in the system, as Python's os.cpu_count() says: neither affinity nor a cgroup's quota counts.
	CPUs int
	// GPUs are NVIDIA devices, as nvidia-smi --list-gpus counts them.
	GPUs int
	// NeuronCores are the cores of AWS accelerators, as neuron-ls counts them.
	NeuronCores int
}

// Getenv is the value of a variable, and whether it is set.
func (s *Snapshot) Getenv(name string) (string, bool) { return Getenv(s.Env, name) }

// Getenv looks a variable up in KEY=VALUE words. The first of equal names counts, as in getenv(3).
func Getenv(env []string, name string) (string, bool) {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, name); ok && strings.HasPrefix(value, "=") {
			return value[1:], true
		}
	}
	return "", false
}
