package plan

import (
	"fmt"
	"strconv"
	"time"

	"entrain/contract"
)

// LauncherTorchrun is the launcher of those who keep torchrun, or what calls it, such as accelerate: every
// host starts the command once, with the variables that torchrun takes for its options.
const LauncherTorchrun = "torchrun"

// decideTorchrun adds the variables of --launcher torchrun on a host that trains together with others, or
// alone. The command stays as it is, so it is the same on all hosts.
func (p *Plan) decideTorchrun(job *contract.Job, snap *contract.Snapshot) {
	if !p.Together.IsMember() {
		return
	}
	p.ErrorFile = launchDir(job, snap) + "-error.json"
	p.addVariables(append(p.Together.torchrunVariables(p.End.Grace), ErrorFileVariable+"="+p.ErrorFile))
}

// torchrunVariables returns torchrun's options as the variables that it reads them from, as KEY=VALUE. With
// the c10d rendezvous torchrun itself serves the store only where the address is one of its own hostname, and
// all hosts wait for ever where it is not: so is_host says which one serves.
func (t Together) torchrunVariables(grace time.Duration) []string {
	isHost, addr := 0, t.Leader()
	if t.Index == 0 {
		isHost = 1
	}
	vars := []string{
		"PET_NNODES=" + strconv.Itoa(len(t.Hosts)),
		"PET_NPROC_PER_NODE=" + strconv.Itoa(t.Slots),
		"PET_NODE_RANK=" + strconv.Itoa(t.Index),
	}
	if len(t.Hosts) == 1 {
		addr = "127.0.0.1"
	} else {
		vars = append(vars, "PET_LOCAL_ADDR="+t.Hosts[t.Index].Name)
	}
	const own, least = 10 * time.Second, 5 * time.Second // torchrun needs the time after its ranks' end itself
	return append(vars,
		"PET_MASTER_ADDR="+addr, "PET_MASTER_PORT="+strconv.Itoa(contract.MasterPort),
		fmt.Sprintf("PET_RDZV_CONF=is_host=%d", isHost),
		fmt.Sprintf("TORCH_ELASTIC_SHUTDOWN_TIMEOUT=%d", int(max(least, grace-own).Seconds())))
}
