package plan

import (
	"slices"

	"entrain/contract"
	"entrain/mpi"
)

// Together says which hosts train together, and where one of the job's hosts stands among them.
type Together struct {
	// Hosts are the hosts of the distribution in the order of ranks, with the number of ranks on each. Until
	// Met is true, the slots of this host stand for those of the others.
	Hosts []mpi.Host
	Index int // the place of this host in Hosts, from 0; -1 for a host that is not one of them
	Slots int // the number of ranks on this host
	// Met says that the slots of all hosts are known. Those of other hosts are known after the rendezvous only.
	Met bool
}

// TogetherOf returns the hosts that train together, before they have met. With slots 0 the job decides the
// number of ranks on this host (see decideSlots).
func TogetherOf(job *contract.Job, slots int) (Together, error) {
	n, err := decideSlots(job, slots)
	if err != nil {
		return Together{}, err
	}
	names := job.Together()
	t := Together{Index: slices.Index(names, job.Host), Slots: n, Hosts: make([]mpi.Host, len(names))}
	for i, name := range names {
		t.Hosts[i] = mpi.Host{Name: name, Slots: n}
	}
	t.Met = len(names) == 1 && t.Index == 0
	return t, nil
}

// Meet returns the same hosts with the slots that each of them has told at the rendezvous, by name. A host
// that has told none has one slot.
func (t Together) Meet(slots map[string]int) Together {
	t.Hosts = slices.Clone(t.Hosts)
	for i, h := range t.Hosts {
		t.Hosts[i].Slots = max(1, slots[h.Name])
	}
	t.Met = true
	return t
}

// IsMember says whether this host is one of those that train together.
func (t Together) IsMember() bool { return t.Index >= 0 }

// Leader returns the first host.
func (t Together) Leader() string { return t.Hosts[0].Name }

// Base returns the number of ranks on the hosts before this one: the rank of this host's first process. It
// counts only if Met is true.
func (t Together) Base() int { return sumSlots(t.Hosts[:max(0, t.Index)]) }

// World returns the number of ranks on all hosts. It counts only if Met is true.
func (t Together) World() int { return sumSlots(t.Hosts) }

func sumSlots(hosts []mpi.Host) int {
	sum := 0
	for _, h := range hosts {
		sum += h.Slots
	}
	return sum
}
