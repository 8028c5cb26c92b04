// Package bootstrap decides what a job needs and does it. It is the only room that knows all the others.
//
// Decide is pure: it turns a Job into a Plan. Run and Exec are the only ones to touch the world, and all they do
// stands in the Plan.
package bootstrap

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"entrain/contract"
	"entrain/hparams"
)

// Plan says everything that will be done: which files to write, whom to await, which process to start.
type Plan struct {
	Role    Role
	Command Command
	Files   []File
	Wait    Wait
	Meet    *Meet   // nil for a host alone
	Launch  *Launch // nil where every host starts its own trainer
	Stdin   *Stream // what the trainer reads; nil for our own standard input
	End     End
	Failure string   // the path of the failure file
	Notes   []string // what the log says once, at info
	Remarks []string // likewise, at debug
	// KeptTrain says that the command's last word is "train" and may be the platform's, not the user's.
	KeptTrain bool
	Added     int    // how many of the last variables of the command are the job's; the others are inherited
	Model     string // the directory that the platform keeps as the model

	words   []string // the command before variables are put into it
	secrets contract.Secrets
}

// Mask is a text without this job's secrets.
func (p *Plan) Mask(text string) string { return p.secrets.Mask(text) }

// Role is a host's part in the cluster.
type Role string

// The roles. A host alone is its own leader.
const (
	Leader Role = "leader" // the first host in the order of ranks
	Worker Role = "worker"
)

// Command is the trainer.
type Command struct {
	Argv []string
	Env  []string // KEY=VALUE, complete
	Dir  string
}

// File is something to be written before the trainer starts.
type File struct {
	Path string
	Data []byte
	Mode uint32 // permissions
}

// End is how the trainer is treated and ended.
type End struct {
	Grace       time.Duration  // from SIGTERM to SIGKILL
	SignalGroup bool           // signals go to its process group
	NoCapture   bool           // its stderr is passed on as it is
	ParentDeath syscall.Signal // comes when entrain's own parent ends; 0 for none
}

// Wait is whom to wait for, by name.
type Wait struct {
	Hosts   []string // none for a host alone
	Timeout time.Duration
	DNSOnly bool // leave out the hosts file
}

// Meet is how the hosts meet at the leader, to start together and end together.
type Meet struct {
	Hosts        []string // in the order of ranks; the first one leads
	Host         string   // this one
	Slots        int
	CPUs         int
	Accelerators int
	Interface    string // the network interface that peers are reached by
	Job          string // tells one job's keys from another's
	// Digests of what must be the same on all hosts, by what that is: the command is the one before variables are
	// put into it.
	Digests     map[string]string
	Port        int           // the leader's
	PeerTimeout time.Duration // within which the loss of a host is noticed
	Ignore      bool          // a host that fails does not end the others
	Timeout     time.Duration // until all have joined
	DNSOnly     bool
	MPI         bool // the leader launches what the others do

	keyed bool   // the hosts share a key; an empty one is a mistake, not none
	key   string // it stays out of what is printed
	// keyFrom is the file or the variable that the key comes from.
	keyFrom string
}

// Keyed says whether the hosts share a key.
func (m *Meet) Keyed() bool { return m.keyed }

// Defaults are the options of a user who chose nothing.
func Defaults() Options {
	return Options{
		ArgsStyle: hparams.StyleToolkit, EnvStyle: contract.EnvToolkit,
		WaitTimeout: 15 * time.Minute,
		Launcher:    LauncherAuto, MPIRun: "mpirun", Agent: AgentAuto,
		Pipe:       DefaultPipe(),
		Rendezvous: Rendezvous{On: true, Port: 7791, PeerTimeout: 30 * time.Second},
		// Under the platform's 120 seconds between SIGTERM and SIGKILL, with time left to report.
		End: End{Grace: 110 * time.Second},
	}
}

// Options are what the user chose; the command line checks them.
type Options struct {
	Command     []string // the words after --
	KeepTrain   bool     // a last word "train" belongs to the command
	CalledTrain bool     // the verb was the platform's word "train", and no -- followed
	ArgsStyle   hparams.Style
	EnvStyle    contract.EnvStyle
	NegateFalse bool               // gnu: false is --no-flag
	HPFile      string             // where to write the hyperparameters; empty for nowhere
	HPFormat    hparams.FileFormat // of HPFile; empty for what its ending says
	WaitTimeout time.Duration
	DNSOnly     bool
	Rendezvous  Rendezvous
	Stdin       string // the channel that the trainer reads as its standard input; empty for none
	Pipe        Pipe
	Slots       int // ranks on this host; 0 leaves it to the job
	Launcher    string
	MPIRun      string // the launcher's name or path
	Agent       Agent
	End         End
	// Mask replaces secrets by stars: a plan to look at, not to carry out.
	Mask bool
}

// Rendezvous is what can be chosen of how the hosts meet.
type Rendezvous struct {
	On          bool
	Port        int
	PeerTimeout time.Duration
	Ignore      bool
}

// Shell is the command as a script for a POSIX shell, whole environment and all. It goes by way of env(1), since a
// shell cannot export a name such as SM_HP_BATCH-SIZE.
func (c *Command) Shell() string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncd " + ShellQuote(c.Dir) + " || exit\nexec env -i")
	// What is no assignment would be taken for the command.
	env := slices.DeleteFunc(slices.Clone(c.Env), func(kv string) bool { return !strings.Contains(kv, "=") })
	for _, word := range slices.Concat(env, c.Argv) {
		b.WriteString(" \\\n  " + ShellQuote(word))
	}
	b.WriteByte('\n')
	return b.String()
}
