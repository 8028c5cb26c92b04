package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"entrain/contract"
	"entrain/hparams"
)

// Rendezvous is how the hosts come together at the leader, to start together and end together.
type Rendezvous struct {
	Hosts        []string // in the order of ranks; the first one leads
	Host         string   // this one
	Slots        int
	CPUs         int
	Accelerators int
	Interface    string // the network interface that peers are reached by
	Job          string // tells one job's keys from another's
	// Digests are of what must be the same on all hosts, by what that is: hosts, hyperparameters, command, launcher. The
	// command's digest is of its words before variables are put into them.
	Digests     map[string]string
	Port        int           // the leader's
	PeerTimeout time.Duration // how long a host may be away before it counts as lost
	Ignore      bool          // a host that fails does not end the others
	Timeout     time.Duration // until all have joined
	DNSOnly     bool
	MPI         bool // the leader launches what the others do
	Key         Key
}

// Key is the secret that the hosts of a job share. What prints it shows nothing of it.
type Key struct {
	Given bool   // the hosts share a key; an empty one is a mistake, not none
	From  string // the file or the variable that it comes from
	text  string
}

// Text is the secret itself.
func (k Key) Text() string { return k.text }

// String hides the secret.
func (k Key) String() string { return "******" }

// GoString hides the secret from %#v.
func (k Key) GoString() string { return k.String() }

// decideRendezvous says how the hosts come together; nil where there is nobody to meet.
func decideRendezvous(job *contract.Job, snap *contract.Snapshot, o Options) (*Rendezvous, error) {
	if len(job.Hosts) < 2 || !o.Rendezvous.On {
		return nil, nil //nolint:nilnil // a host alone is no error
	}
	slots, err := decideSlots(job, o.Slots)
	if err != nil {
		return nil, err
	}
	key, err := findKey(snap)
	if err != nil {
		return nil, err
	}
	params := make([]string, 0, len(job.Params))
	for _, p := range job.Params {
		params = append(params, hparams.Quote(p.Name)+hparams.JSON(p.Raw, hparams.ToolkitJSON()))
	}
	slices.Sort(params) // an object's order means nothing
	return &Rendezvous{
		Hosts: job.Order(), Host: job.Host, Interface: job.Interface, Job: cmp.Or(job.ARN, job.Name),
		Slots: slots, CPUs: job.Machine.CPUs, Accelerators: cmp.Or(job.Machine.GPUs, job.Machine.NeuronCores),
		Digests: map[string]string{"hosts": digest(job.Order()...), "hyperparameters": digest(params...)},
		Port:    o.Rendezvous.Port, PeerTimeout: o.Rendezvous.PeerTimeout, Ignore: o.Rendezvous.Ignore,
		Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly, MPI: WantsMPI(job, o), Key: key,
	}, nil
}

// digest is 32 bits of the SHA-256 of words: enough to notice that two hosts differ, and too few to find out by trying
// what a secret among the words is.
func digest(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s,", len(w), w) // a netstring, so that no two lists look the same
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// DecideWait makes the Plan of a host that only waits until all hosts are ready.
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

// DecideFailure makes the Plan of a host that cannot begin: it tells the others why, so that they need not wait for it.
// It is nil where the contract does not say who the others are.
func DecideFailure(snap *contract.Snapshot, o Options) *Plan {
	job := contract.Identify(snap)
	if job == nil {
		return nil
	}
	p, err := DecideWait(job, snap, o)
	if err != nil || p.Rendezvous == nil {
		return nil
	}
	p.Rendezvous.Digests = nil // that the hosts differ is not the reason
	return p
}
