package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"entrain/contract"
	"entrain/hparams"
)

// Rendezvous says how the hosts join at the leader, so that they start together and end together.
type Rendezvous struct {
	Hosts        []string // in the order of ranks; the first one is the leader
	Host         string   // the name of this host
	Slots        int      // the number of ranks on this host
	CPUs         int
	Accelerators int
	Interface    string // the network interface between the hosts
	Job          string // identifies the job, so that its keys differ from those of another job
	// Digests holds what must be the same on all hosts: a digest of the hosts, of the hyperparameters and of the
	// command's program; and, as they are, launcher, until, max-restarts and args-style.
	Digests map[string]string
	// Command holds the command's words before their variables are expanded. They may differ between hosts, as
	// in a number of the host, and that is told.
	Command     []CommandWord
	Port        int           // the TCP port of the leader
	PeerTimeout time.Duration // a host that is silent for longer counts as lost
	Ignore      bool          // a host that fails does not end the others
	Timeout     time.Duration // all hosts must join within it
	DNSOnly     bool          // the hosts file is not asked
	MPI         bool          // the leader starts the trainer on the other hosts
	UntilLeader bool          // the job ends when the leader's work has ended with 0
	MaxRestarts int           // how often the work of all hosts may start again
	Ranks       bool          // each host starts ranks that depend on those of other hosts
	Table       bool          // this host uses what the others tell about themselves
	Key         Key
}

// Key is the secret that the hosts of a job share. Printing a Key does not show the secret.
type Key struct {
	Given bool   // the user gave a key; an empty one is a mistake, not the same as none
	From  string // the file or the variable that holds the key
	text  string
}

// Text returns the secret itself.
func (k Key) Text() string { return k.text }

// String hides the secret.
func (k Key) String() string { return "******" }

// GoString hides the secret from %#v.
func (k Key) GoString() string { return k.String() }

// decideRendezvous says how the hosts join. It returns nil for a host alone, and if the user switched the
// rendezvous off.
func decideRendezvous(job *contract.Job, snap *contract.Snapshot, o Options) (*Rendezvous, error) {
	if len(job.Hosts) < 2 || !o.Rendezvous.On {
		return nil, nil //nolint:nilnil // a host alone is no error
	}
	together, err := o.together(job, snap)
	if err != nil {
		return nil, err
	}
	key, err := findKey(snap)
	if err == nil && o.Rendezvous.RequireKey && !key.Given {
		err = &UsageError{Err: errors.New("--require-key: there is no cluster key" +
			"\nhint: in the Dockerfile: RUN entrain keygen " + KeyFile + "; or set " + KeyVariable)}
	}
	if err != nil && !o.ignoreKey {
		return nil, err
	}
	params := make([]string, 0, len(job.Params))
	for _, p := range job.Params {
		params = append(params, hparams.Quote(p.Name)+hparams.JSON(p.Raw, hparams.ToolkitJSON()))
	}
	slices.Sort(params) // the order of an object's names means nothing
	launcher := ""
	if together.IsMember() { // a host of another instance group starts no ranks
		launcher = chosenLauncher(job, o)
	}
	return &Rendezvous{
		Hosts: job.Order(), Host: job.Host, Interface: job.Interface, Job: cmp.Or(job.ARN, job.Name),
		Slots: together.Slots, CPUs: job.Machine.CPUs,
		Accelerators: cmp.Or(job.Machine.GPUs, job.Machine.NeuronCores),
		Digests: map[string]string{
			"hosts":           digest(job.Order()...),
			"hyperparameters": digest(params...),
			"launcher":        launcher,
		},
		Port: o.Rendezvous.Port, PeerTimeout: o.Rendezvous.PeerTimeout, Ignore: o.Rendezvous.Ignore,
		Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly, MPI: WantsMPI(job, o), Key: key,
		Ranks: chosenLauncher(job, o) == LauncherRanks || chosenLauncher(job, o) == LauncherTorchrun,
	}, nil
}

// digest returns the first 32 bits of the SHA-256 of words. They are enough to notice that two hosts differ,
// and too few to find a secret among the words by trying.
func digest(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s,", len(w), w) // a netstring, so that no two lists give the same bytes
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// CommandWord is a word of a command, by which hosts compare their commands.
type CommandWord struct {
	Digest string
	Text   string // without secrets
}

// commandWords returns the words by which hosts compare their commands. Of a secret the digest has 8 bits:
// they usually tell whether two secrets differ, and say next to nothing about a secret by itself.
func commandWords(words []string) []CommandWord {
	shown := contract.MaskWords(words)
	list := make([]CommandWord, len(words))
	for i, word := range words {
		list[i] = CommandWord{Digest: digest(word), Text: shown[i]}
		if shown[i] != word {
			list[i].Digest = list[i].Digest[:2]
		}
	}
	return list
}

// DecideWait makes the Plan of a host that only waits until all hosts are ready. It returns the same types of
// errors as Decide.
func DecideWait(job *contract.Job, snap *contract.Snapshot, o Options) (*Plan, error) {
	rendezvous, err := decideRendezvous(job, snap, o)
	if err != nil {
		return nil, err
	}
	return &Plan{
		Role: roleOf(job), Wait: decideWait(job, o), Rendezvous: rendezvous,
		Failure: job.Dir("output/failure"), secrets: contract.SecretsOf(snap, o.Command...),
	}, nil
}

// DecideFailure makes the Plan of a host that cannot start its trainer. The host joins only to tell the
// others why, so that they do not wait for it. DecideFailure returns nil if the contract does not name the
// other hosts.
func DecideFailure(snap *contract.Snapshot, o Options) *Plan {
	job := contract.Identify(snap)
	if job == nil {
		return nil
	}
	o.ignoreKey = true // without a key that can be used, this host can still say so
	p, err := DecideWait(job, snap, o)
	if err != nil || p.Rendezvous == nil {
		return nil
	}
	p.Rendezvous.Digests = nil // a difference between the hosts is not the reason of this failure
	return p
}
