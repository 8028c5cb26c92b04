package contract_test

import (
	"strings"
	"testing"

	"entrain/contract"
)

// TestEFAKnowsTheInstanceTypes: old types get what old versions of the plugin need; from p5 on the plugin
// chooses by itself. The cases are those of EC2's list of types with EFA, and types to come.
func TestEFAKnowsTheInstanceTypes(t *testing.T) {
	const efa, simple = "FI_PROVIDER=efa", "FI_PROVIDER=efa NCCL_PROTO=simple"
	const rdma = simple + " FI_EFA_USE_DEVICE_RDMA=1"
	for types, want := range map[string]string{
		"ml.p4d.24xlarge p4d.24xlarge ml.p4de.24xlarge":                                 rdma,
		"ml.p3dn.24xlarge ml.g4dn.8xlarge ml.g4dn.12xlarge ml.g4dn.16xlarge g4dn.metal": simple,
		"ml.g5.8xlarge ml.g5.12xlarge ml.g5.16xlarge ml.g5.24xlarge ml.g5.48xlarge":     simple,
		"ml.p5.4xlarge ml.p5.48xlarge ml.p5e.48xlarge ml.p5en.48xlarge p10.48xlarge":    efa,
		"ml.p6-b200.48xlarge ml.p6-b300.48xlarge ml.p6e-gb200.36xlarge ml.p7.48xlarge":  efa,
		"ml.trn1.32xlarge ml.trn1n.32xlarge ml.trn2.48xlarge ml.trn2.3xlarge":           efa,
		"ml.trn2u.48xlarge trn3.48xlarge trn12x.48xlarge":                               efa,
		"ml.g6.8xlarge ml.g6.48xlarge ml.g6e.12xlarge ml.g7e.24xlarge ml.g7.8xlarge":    efa,
		"ml.p3.16xlarge ml.p2.xlarge ml.p4.24xlarge p3dn.2xlarge":                       "",
		"ml.trn1.2xlarge ml.g4dn.xlarge ml.g4dn.4xlarge ml.g5.4xlarge ml.g5g.16xlarge":  "",
		"ml.g4ad.16xlarge ml.g6.4xlarge ml.g6e.xlarge ml.g6f.4xlarge ml.g7e.2xlarge":    "",
		"local local_gpu ml.m5.large ml.c5n.18xlarge ml. p5 p.48xlarge trn.32xlarge":    "",
		"ml.p4d.24xlarge2 ml.p5.48 ml.p5.xxlarge ml.p5.-1xlarge .48xlarge 5.48xlarge":   "",
	} {
		for instance := range strings.FieldsSeq(types) {
			if got := strings.Join(contract.EFA(instance), " "); got != want {
				t.Errorf("%s: %q, want %q", instance, got, want)
			}
		}
	}
	if got := contract.EFA(""); got != nil {
		t.Errorf("without a type: %q", got)
	}
}
