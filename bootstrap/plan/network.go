package plan

import (
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
)

// coordinatorPort is the TCP port of JAX's coordinator: the one behind MasterPort, since a trainer may use
// both.
const coordinatorPort = contract.MasterPort + 1

// networkVariables returns the variables that lead a trainer's libraries to the network between the hosts, as
// KEY=VALUE. Left to themselves, NCCL takes the first interface and Gloo that of the machine's own hostname.
// Where that is another interface than the one between the hosts, a job hangs without a word.
//
// A host alone needs none. The interface is left out unless this host is known to have it, since a library
// that is given another name fails: CheckInterface warns of that.
func networkVariables(job *contract.Job, snap *contract.Snapshot) []string {
	if len(job.Hosts) < 2 {
		return nil
	}
	var vars []string
	if name := job.Interface; slices.Contains(snap.Interfaces, name) {
		vars = append(vars,
			"NCCL_SOCKET_IFNAME="+exactForNCCL(name, snap.Interfaces),
			"GLOO_SOCKET_IFNAME="+name,
			"TP_SOCKET_IFNAME="+name, // TensorPipe, for torch.distributed.rpc
		)
	}
	return append(vars, contract.EFA(job.InstanceType)...)
}

// exactForNCCL returns the name of an interface as NCCL has to be given it. NCCL takes a name for the
// beginning of names, so that eth1 means eth10 too, unless a = stands in front of it.
func exactForNCCL(name string, all []string) string {
	isLonger := func(other string) bool { return other != name && strings.HasPrefix(other, name) }
	if slices.ContainsFunc(all, isLonger) {
		return "=" + name
	}
	return name
}

// addressVariables returns the variables by which the trainers of several hosts find each other, as
// KEY=VALUE: those of PyTorch (MASTER_ADDR, MASTER_PORT), of PyTorch Lightning beside them (NODE_RANK), and
// those that JAX and Kubeflow use. A host that trains with no other one gets none.
func (t Together) addressVariables() []string {
	if len(t.Hosts) < 2 || !t.IsMember() {
		return nil
	}
	index := strconv.Itoa(t.Index)
	return []string{
		"MASTER_ADDR=" + t.Leader(),
		"MASTER_PORT=" + strconv.Itoa(contract.MasterPort),
		"NODE_RANK=" + index,
		"JAX_COORDINATOR_ADDRESS=" + t.Leader() + ":" + strconv.Itoa(coordinatorPort),
		"JAX_NUM_PROCESSES=" + strconv.Itoa(len(t.Hosts)),
		"JAX_PROCESS_ID=" + index,
	}
}
