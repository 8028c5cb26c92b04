package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"entrain/contract"
	"entrain/hparams"
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

// slotsParam is the hyperparameter of the number of ranks on each host.
const slotsParam = "sagemaker_mpi_num_of_processes_per_host"

// together returns the hosts that train together. A mistake in slotsParam stops only a job that starts ranks.
// Its error then has the place of the mistake.
func (o Options) together(job *contract.Job, snap *contract.Snapshot) (Together, error) {
	together, err := TogetherOf(job, o.Slots)
	if err == nil {
		return together, nil
	}
	if startsRanks(job, o) {
		return Together{}, placeSlotsError(job, snap, err)
	}
	return TogetherOf(job, defaultSlots(job))
}

// placeSlotsError gives an error of decideSlots the place of the hyperparameter.
func placeSlotsError(job *contract.Job, snap *contract.Snapshot, err error) error {
	e, ok := errors.AsType[*contract.InvalidError](err)
	if !ok {
		return err
	}
	placed := contract.ParamProblem(job, snap, slotsParam, "", "")
	placed.Message = e.Problems[0].Message
	return invalid(placed)
}

// decideSlots returns the number of ranks on this host: slots if it is not 0, else the job's hyperparameter
// for MPI, else defaultSlots.
func decideSlots(job *contract.Job, slots int) (int, error) {
	v, ok := job.Params.Get(slotsParam)
	switch {
	case slots != 0:
		return slots, nil
	case !ok:
		return defaultSlots(job), nil
	}
	n, err := countOf(v, MaxSlots, WhyMaxSlots)
	if err != nil {
		return 0, invalid(contract.Problem{
			File:    contract.HyperparametersFile,
			Message: fmt.Sprintf("hyperparameter %q is %v", slotsParam, err),
		})
	}
	return n, nil
}

// defaultSlots returns the number of this host's accelerators, and 1 for a host without any.
func defaultSlots(job *contract.Job) int { return cmp.Or(job.Machine.GPUs, job.Machine.NeuronCores, 1) }

// MaxSlots is the greatest number of ranks on a host: more than two for each of the 1,920 processors of the
// largest machines. More are a mistake, and would fill the memory.
const MaxSlots = 4096

// WhyMaxSlots is the end of a sentence with MaxSlots in it.
const WhyMaxSlots = ": no machine has processors for more ranks"

// countOf returns the whole number that a hyperparameter holds, from 1 to most. The reason says where that
// bound comes from.
func countOf(v hparams.Value, most int, reason string) (int, error) {
	text := hparams.ToolkitText(v)
	n, err := strconv.Atoi(text)
	if n > most { // also for what no int holds
		return 0, fmt.Errorf("%s, expected a whole number from 1 to %d%s", hparams.Quote(text), most, reason)
	}
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s, expected a whole number of at least 1", hparams.Quote(text))
	}
	return n, nil
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
