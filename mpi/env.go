package mpi

import "strconv"

// Env is what a host's environment needs so that a bare mpirun of any family, as in a user's script, starts over all
// hosts: both generations' names of Open MPI (5 passes over most of 4's), MPICH's and Intel MPI's. It is for mpirun
// on the leader, and for what runs on every other host: each gives its own interface and instance type. A variable
// that the user set is the user's: put these behind it.
func (l Launch) Env() []string {
	return append(append(append(l.openMPIEnv(), l.hydraEnv()...), l.networkEnv()...), EFA(l.InstanceType)...)
}

func (l Launch) openMPIEnv() []string {
	env := []string{
		"OMPI_ALLOW_RUN_AS_ROOT=1",
		"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
		"PRTE_ALLOW_RUN_AS_ROOT=1", // of prterun; Open MPI 5's mpirun reads OMPI_ too
		"PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1",
		"OMPI_MCA_plm_rsh_agent=" + l.Agent,
		"PRTE_MCA_plm_ssh_agent=" + l.Agent,
		"OMPI_MCA_orte_default_hostfile=" + l.hostfile(OpenMPI),
		"PRTE_MCA_prte_default_hostfile=" + l.hostfile(OpenMPI),
	}
	// Every daemon is the leader's direct child, so that no other host launches any, and all launches may stand at
	// once, since an agent stays for as long as its daemon: with fewer than there are children, the launch hangs.
	radix, concurrent := strconv.Itoa(max(64, len(l.Hosts))), strconv.Itoa(max(128, len(l.Hosts)))
	env = append(env,
		"OMPI_MCA_routed_radix="+radix,
		"PRTE_MCA_rml_base_radix="+radix,
		"OMPI_MCA_plm_rsh_num_concurrent="+concurrent,
		"PRTE_MCA_plm_ssh_num_concurrent="+concurrent,
		// As the toolkit: a rank of a trainer has threads, which binding would put onto one core.
		"OMPI_MCA_hwloc_base_binding_policy=none",
		"PRTE_MCA_hwloc_default_binding_policy=none",
		"OMPI_MCA_rmaps_base_mapping_policy=slot",
		"PRTE_MCA_rmaps_default_mapping_policy=slot",
		// Else Open MPI 5 takes a leader whose hostname is not its name among the hosts for another host.
		"PRTE_MCA_prte_do_not_resolve=0",
		// Containers may not read each other's memory, nor always their own processes'.
		"OMPI_MCA_btl_vader_single_copy_mechanism=none",
		"OMPI_MCA_smsc=^cma", // its name in Open MPI 5
		"OMPI_MCA_btl="+l.btl(),
	)
	if l.Interface != "" {
		env = append(env,
			"OMPI_MCA_btl_tcp_if_include="+l.Interface,
			"OMPI_MCA_oob_tcp_if_include="+l.Interface,
			"PRTE_MCA_prte_if_include="+l.Interface,
		)
	}
	return env
}

// btl are the transports of Open MPI that are left out. As the toolkit: openib takes an EFA adapter for InfiniBand, and
// complains. Where there is no EFA, so does Debian: uct and ofi cost a second to find that out.
func (l Launch) btl() string {
	if len(EFA(l.InstanceType)) > 0 {
		return "^openib"
	}
	return "^uct,openib,ofi"
}

func (l Launch) hydraEnv() []string {
	env := []string{
		"HYDRA_LAUNCHER=ssh",
		"HYDRA_LAUNCHER_EXEC=" + l.Agent,
		"HYDRA_HOST_FILE=" + l.hostfile(MPICH),
		"HYDRA_ENV=none", // ranks keep their own host's environment instead of the leader's
		"I_MPI_HYDRA_BOOTSTRAP=ssh",
		"I_MPI_HYDRA_BOOTSTRAP_EXEC=" + l.Agent,
		"I_MPI_HYDRA_HOST_FILE=" + l.hostfile(MPICH),
		"I_MPI_HYDRA_BRANCH_COUNT=" + strconv.Itoa(max(64, len(l.Hosts))), // else other hosts launch, from 17 on
	}
	if l.Interface != "" {
		env = append(env, "HYDRA_IFACE="+l.Interface, "I_MPI_HYDRA_IFACE="+l.Interface)
	}
	return env
}

// networkEnv names the interface to the libraries under MPI and beside it. UCX is told only where there is no EFA: its
// list is of every device, so that an interface's name alone would take the adapter from it.
func (l Launch) networkEnv() []string {
	if l.Interface == "" {
		return nil
	}
	env := []string{
		"NCCL_SOCKET_IFNAME=" + l.Interface,
		"GLOO_SOCKET_IFNAME=" + l.Interface,
		"FI_TCP_IFACE=" + l.Interface,
	}
	if len(EFA(l.InstanceType)) == 0 {
		env = append(env, "UCX_NET_DEVICES="+l.Interface)
	}
	return env
}
