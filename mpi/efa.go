package mpi

import "strings"

// EFA is what an instance type with an Elastic Fabric Adapter needs in the environment of its ranks, by the lists of
// the SageMaker Training Toolkit; nothing for every other type. The platform's prefix "ml." may be there or not.
func EFA(instanceType string) []string {
	var env []string
	switch strings.TrimPrefix(instanceType, "ml.") {
	case "p4d.24xlarge", "p4de.24xlarge", "trn1.32xlarge", "p6e-gb200.36xlarge":
		env = []string{"FI_EFA_USE_DEVICE_RDMA=1", "RDMAV_FORK_SAFE=1"} // registered memory and a trainer that forks
	case "g4dn.8xlarge", "g4dn.12xlarge", "g5.48xlarge", "p3dn.24xlarge", "p5.48xlarge":
	default:
		return nil
	}
	return append([]string{"FI_PROVIDER=efa", "NCCL_PROTO=simple"}, env...)
}
