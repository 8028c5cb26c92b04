package mpi

import (
	"slices"
	"strconv"
	"strings"
)

// Env gives the variables with which a bare mpirun of any family, as in a user's script, starts over all
// hosts. It holds the names of Open MPI 4, of Open MPI 5 (which ignores most names of 4), of MPICH and of
// Intel MPI. The leader needs them for mpirun, and the other hosts for their daemons and ranks. Interface and
// EFA are those of the host that gets the variables. The user's own variables win: put the result behind
// them, since the first of equal names counts.
func (l Launch) Env() []string {
	return append(append(l.openMPIEnv(), l.hydraEnv()...), l.networkEnv()...)
}

func (l Launch) openMPIEnv() []string {
	env := []string{
		"OMPI_ALLOW_RUN_AS_ROOT=1",
		"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
		"PRTE_ALLOW_RUN_AS_ROOT=1", // for prterun; mpirun of Open MPI 5 reads the names above too
		"PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1",
		"OMPI_MCA_plm_rsh_agent=" + l.Agent,
		"PRTE_MCA_plm_ssh_agent=" + l.Agent,
		"OMPI_MCA_orte_default_hostfile=" + l.hostfile(OpenMPI),
		"PRTE_MCA_prte_default_hostfile=" + l.hostfile(OpenMPI),
	}
	// Every daemon is a direct child of the leader, so that no other host has to launch daemons. An agent lives
	// as long as its daemon. So all agents must be allowed at once: with fewer than there are children, the
	// launch hangs.
	radix, concurrent := l.atLeast(64), l.atLeast(128)
	env = append(env,
		"OMPI_MCA_routed_radix="+radix,
		"PRTE_MCA_rml_base_radix="+radix,
		"OMPI_MCA_plm_rsh_num_concurrent="+concurrent,
		"PRTE_MCA_plm_ssh_num_concurrent="+concurrent,
		// No binding, as in the toolkit: it would put all threads of a rank onto one core.
		"OMPI_MCA_hwloc_base_binding_policy=none",
		"PRTE_MCA_hwloc_default_binding_policy=none",
		"OMPI_MCA_rmaps_base_mapping_policy=slot",
		"PRTE_MCA_rmaps_default_mapping_policy=slot",
		// Without it, Open MPI 5 takes the leader for another host where its hostname is not its name in the
		// hostfile.
		"PRTE_MCA_prte_do_not_resolve=0",
	)
	if slices.ContainsFunc(l.Hosts, func(h Host) bool { return strings.Contains(h.Name, ".") }) {
		// Without it, Open MPI cuts the names at the first dot, and finds no such host.
		env = append(env, "OMPI_MCA_orte_keep_fqdn_hostnames=1", "PRTE_MCA_prte_keep_fqdn_hostnames=1")
	}
	env = append(env, l.transportEnv()...)
	return append(env, l.interfaceEnv("OMPI_MCA_oob_tcp_if_include", "PRTE_MCA_prte_if_include")...)
}

// transportEnv gives the variables of Open MPI that its ranks alone read.
func (l Launch) transportEnv() []string {
	env := []string{
		// A process in a container often may not read the memory of another process, even in the same container.
		"OMPI_MCA_btl_vader_single_copy_mechanism=none",
		"OMPI_MCA_smsc=^cma", // the same in Open MPI 5
		"OMPI_MCA_btl=" + l.btl(),
	}
	return append(env, l.interfaceEnv("OMPI_MCA_btl_tcp_if_include")...)
}

// interfaceEnv sets the interface in variables of Open MPI whose names end in if_include. It leaves out a
// variable where the user's options give its counterpart, which ends in if_exclude: the two contradict each
// other.
func (l Launch) interfaceEnv(names ...string) []string {
	var env []string
	for _, name := range names {
		_, param, _ := strings.Cut(Counterpart(name), "_MCA_")
		if l.Interface != "" && !slices.Contains(mcaParams(l.Options), param) {
			env = append(env, name+"="+l.Interface)
		}
	}
	return env
}

// Counterpart is the variable that contradicts an if_include variable of Open MPI. It is empty for any other
// variable.
func Counterpart(variable string) string {
	if prefix, ok := strings.CutSuffix(variable, "_if_include"); ok {
		return prefix + "_if_exclude"
	}
	return ""
}

// LauncherEnv gives the environment for mpirun itself, from that of the leader's ranks: it leaves out what
// transportEnv has added. Open MPI carries its variables from the leader to all ranks, but each host has its
// own. Besides, such a variable would beat a file of parameters that the user's options name.
func (l Launch) LauncherEnv(env []string) []string {
	if l.Launcher.hydra() {
		return env
	}
	added := l.transportEnv()
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return slices.Contains(added, kv) })
}

// atLeast is the number of hosts, or the launcher's own default where that is larger.
func (l Launch) atLeast(standard int) string { return strconv.Itoa(max(standard, len(l.Hosts))) }

// btl names the transports that Open MPI must not use. openib is excluded as in the toolkit: it takes an EFA
// adapter for InfiniBand and prints warnings. uct and ofi are excluded on hosts without EFA, as Debian does:
// each start would lose a second until they find out that they have no device.
func (l Launch) btl() string {
	if l.EFA {
		return "^openib"
	}
	return "^uct,openib,ofi"
}

func (l Launch) hydraEnv() []string {
	env := []string{
		"HYDRA_LAUNCHER=ssh",
		"HYDRA_LAUNCHER_EXEC=" + l.Agent,
		"HYDRA_HOST_FILE=" + l.hostfile(MPICH),
		"HYDRA_ENV=none", // ranks get the environment of their own host, not the leader's
		"I_MPI_HYDRA_BOOTSTRAP=ssh",
		"I_MPI_HYDRA_BOOTSTRAP_EXEC=" + l.Agent,
		"I_MPI_HYDRA_HOST_FILE=" + l.hostfile(MPICH),
		// With its default of 16, other hosts than the leader launch daemons from the 17th host on.
		"I_MPI_HYDRA_BRANCH_COUNT=" + l.atLeast(64),
	}
	if l.Interface != "" {
		env = append(env, "HYDRA_IFACE="+l.Interface, "I_MPI_HYDRA_IFACE="+l.Interface)
	}
	return env
}

// networkEnv names the interface to the libraries that MPI uses. UCX gets the name only on hosts without EFA:
// UCX_NET_DEVICES lists all allowed devices, so the name alone would exclude the EFA adapter.
func (l Launch) networkEnv() []string {
	if l.Interface == "" {
		return nil
	}
	env := []string{"FI_TCP_IFACE=" + l.Interface}
	if !l.EFA {
		env = append(env, "UCX_NET_DEVICES="+l.Interface)
	}
	return env
}
