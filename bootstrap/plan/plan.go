// Package plan decides what a host of a job does. Decide turns a Job, a Snapshot and Options into a Plan, and
// CheckKey and Check report what is wrong before that.
//
// The package is pure. It never reads a file, the environment or the clock, never writes, and starts nothing:
// the same Job, Snapshot and Options always give the same Plan.
//
// A Plan is a plain struct. The verb plan prints it, and the verbs run, exec and wait carry it out. Nothing
// changes it after that.
package plan

import (
	"slices"
	"strings"
	"time"

	"entrain/contract"
)

// Plan says everything that a host does: the files to write, the hosts to wait for, the process to start.
type Plan struct {
	Host       string // the name of this host
	Role       Role
	Command    Command
	Source     *Source  // the archive that brings the code; nil where the code is there
	Install    []string // the command that installs what the code needs, in Command.Dir; nil for none
	Dirs       []string // directories to make
	Files      []File
	Wait       Wait
	Rendezvous *Rendezvous // nil for a host alone
	Launch     *Launch     // nil if every host starts its own trainer
	Stdin      *Stream     // the trainer's standard input; nil for entrain's own standard input
	Feeds      []*Stream   // the channels that the trainer reads from FIFOs
	End        End
	Restarts   Restarts
	ErrorFile  string   // the path of the file in which the trainer may say why it fails; empty for none
	Failure    string   // the path of the failure file
	Success    string   // the path of the file that the toolkit makes after success; empty for none
	Notes      []string // messages for the log, once, at level info
	Remarks    []string // messages for the log, once, at level debug
	// KeptTrain says that the command's last word is "train", and that the platform may have appended it.
	KeptTrain bool
	// Added is the number of variables that the job adds. They are the last ones of Command.Env; the variables
	// before them are inherited.
	Added int
	Model string // the path of the directory that the platform keeps as the model

	Together Together // the hosts that train together
	// Hostfile is the path of a hostfile of these hosts, to be written once they have met. It is empty if there
	// is to be none.
	Hostfile string

	words, args []string // the command before the expansion, and what follows it; nil if a launcher expands it
	secrets     contract.Secrets
}

// Mask returns text with this job's secrets replaced by stars.
func (p *Plan) Mask(text string) string { return p.secrets.Mask(text) }

// Role is a host's part in the job.
type Role string

// The roles. A host alone is a leader.
const (
	Leader Role = "leader" // the first host in the order of ranks
	Worker Role = "worker"
)

// Command is the trainer.
type Command struct {
	Argv []string
	Env  []string // the whole environment, as KEY=VALUE
	Dir  string   // the working directory
}

// File is a file to write before the trainer starts.
type File struct {
	Path string
	Data []byte
	Mode uint32 // permission bits
}

// End says how the trainer is supervised and stopped.
type End struct {
	Grace       time.Duration // between SIGTERM and SIGKILL
	SignalGroup bool          // signals go to the trainer's process group
	NoCapture   bool          // the trainer's stderr is passed on unread
	ParentDeath int           // the signal that the trainer gets when entrain's parent ends; 0 for none
}

// Wait says whose names must resolve before the trainer starts.
type Wait struct {
	Hosts   []string // empty for a host alone
	Timeout time.Duration
	DNSOnly bool // the hosts file is not asked
}

// Shell returns the command as a script for a POSIX shell, with the whole environment. The script sets the
// environment by env(1), because a shell cannot export a name such as SM_HP_BATCH-SIZE.
func (c *Command) Shell() string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncd " + ShellQuote(c.Dir) + " || exit\nexec env -i")
	// env takes a word without = for the command.
	env := slices.DeleteFunc(slices.Clone(c.Env), func(kv string) bool { return !strings.Contains(kv, "=") })
	for _, word := range slices.Concat(env, c.Argv) {
		b.WriteString(" \\\n  " + ShellQuote(word))
	}
	b.WriteByte('\n')
	return b.String()
}
