package contract_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

// The order is the one that the toolkit uses; it was observed by running the toolkit.
func TestHostsThatTrainTogetherComeFirstAndLead(t *testing.T) {
	const groups = `,"instance_groups":[{"instance_group_name":"cpu","hosts":["algo-2"]},` +
		`{"instance_group_name":"gpu","hosts":["algo-3","algo-1"]}],"current_group_name":"cpu"`
	const hosts = `{"current_host":"algo-2","hosts":["algo-1","algo-2","algo-3"]`
	for _, c := range []struct {
		what, hp, groups string
		order            []string
	}{
		{"no distribution", `{}`, groups, []string{"algo-1", "algo-2", "algo-3"}},
		{
			"a group that the job names",
			`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"gpu\"]"}`,
			groups,
			[]string{"algo-3", "algo-1", "algo-2"},
		},
		{"the own group", `{"sagemaker_mpi_enabled":"true"}`, groups, []string{"algo-2", "algo-1", "algo-3"}},
		{
			"switched off",
			`{"sagemaker_mpi_enabled":"false","sagemaker_pytorch_ddp_enabled":"0"}`,
			groups,
			[]string{"algo-1", "algo-2", "algo-3"},
		},
		{"no groups", `{"sagemaker_torch_distributed_enabled":"true"}`, ``, []string{"algo-1", "algo-2", "algo-3"}},
		{
			"a group that does not exist",
			`{"sagemaker_distribution_instance_groups":"[\"x\"]"}`,
			groups,
			[]string{"algo-1", "algo-2", "algo-3"},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			snap := snapshot(with("hyperparameters.json", c.hp))
			snap.Files["resourceconfig.json"] = contract.File{Data: []byte(hosts + c.groups + `}`)}
			job := load(t, snap)
			if diff := cmp.Diff(c.order, job.Order()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			env := envOf(job, snap, contract.EnvToolkit)
			rank := strconv.Itoa(slices.Index(c.order, "algo-2"))
			if env["SM_MASTER_ADDR"] != c.order[0] || env["SM_CURRENT_HOST_RANK"] != rank {
				t.Errorf("leader %s, rank %s", env["SM_MASTER_ADDR"], env["SM_CURRENT_HOST_RANK"])
			}
		})
	}
}

func TestRanksFollowTheListAndNotTheAlphabet(t *testing.T) {
	const resource = `{"current_host":"algo-2","hosts":["algo-9","algo-10","algo-2"]}`
	snap := snapshot(with("resourceconfig.json", resource))
	if rank := load(t, snap).Rank("algo-2"); rank != 2 {
		t.Errorf("rank %d, want 2", rank)
	}
}
