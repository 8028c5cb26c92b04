// Package plan decides what a job needs: it turns a Job and a Snapshot into a Plan. It is pure: the same Job, Snapshot
// and Options give the same Plan, and nothing is touched.
//
// A Plan is a plain struct. The verb plan prints it, the verbs run, exec and wait carry it out, and nobody writes into it
// afterwards.
package plan

import (
	"slices"
	"strings"
	"time"

	"entrain/contract"
)

// Plan says everything that will be done: which files to write, whom to await, which process to start.
type Plan struct {
	Role       Role
	Command    Command
	Files      []File
	Wait       Wait
	Rendezvous *Rendezvous // nil for a host alone
	Launch     *Launch     // nil where every host starts its own trainer
	Stdin      *Stream     // what the trainer reads; nil for entrain's own standard input
	End        End
	Failure    string   // the path of the failure file
	Notes      []string // what the log says once, at info
	Remarks    []string // what the log says once, at debug
	// KeptTrain says that the command's last word is "train" and may be the platform's, not the user's.
	KeptTrain bool
	Added     int    // how many of the last variables of the command are the job's; the others are inherited
	Model     string // the directory that the platform keeps as the model

	secrets contract.Secrets
}

// Mask is a text without this job's secrets.
func (p *Plan) Mask(text string) string { return p.secrets.Mask(text) }

// Role is a host's part in the job.
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
	Grace       time.Duration // from SIGTERM to SIGKILL
	SignalGroup bool          // signals go to the trainer's process group
	NoCapture   bool          // the trainer's stderr is passed on as it is
	ParentDeath int           // the signal that the trainer gets when entrain's own parent ends; 0 for none
}

// Wait is whom to wait for, by name.
type Wait struct {
	Hosts   []string // none for a host alone
	Timeout time.Duration
	DNSOnly bool // leave out the hosts file
}

// Shell is the command as a script for a POSIX shell, with the whole environment. It goes by way of env(1), because a
// shell cannot export a name such as SM_HP_BATCH-SIZE.
func (c *Command) Shell() string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncd " + ShellQuote(c.Dir) + " || exit\nexec env -i")
	// env would take a word without = for the command.
	env := slices.DeleteFunc(slices.Clone(c.Env), func(kv string) bool { return !strings.Contains(kv, "=") })
	for _, word := range slices.Concat(env, c.Argv) {
		b.WriteString(" \\\n  " + ShellQuote(word))
	}
	b.WriteByte('\n')
	return b.String()
}
