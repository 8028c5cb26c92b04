package mpi

import "strings"

// EFA gives the variables that the ranks need on an instance type with an Elastic Fabric Adapter. It gives
// none for other types. The lists of types are those of the SageMaker Training Toolkit. The prefix "ml." is
// optional.
func EFA(instanceType string) []string {
	var env []string
	switch strings.TrimPrefix(instanceType, "ml.") {
	case "p4d.24xlarge", "p4de.24xlarge", "trn1.32xlarge", "p6e-gb200.36xlarge":
		// With RDMA a trainer has registered memory. FORK_SAFE lets it fork nevertheless.
		env = []string{"FI_EFA_USE_DEVICE_RDMA=1", "RDMAV_FORK_SAFE=1"}
	case "g4dn.8xlarge", "g4dn.12xlarge", "g5.48xlarge", "p3dn.24xlarge", "p5.48xlarge":
	default:
		return nil
	}
	return append([]string{"FI_PROVIDER=efa", "NCCL_PROTO=simple"}, env...)
}
