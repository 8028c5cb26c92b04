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
		{"all groups", `{"sagemaker_mpi_enabled":"true"}`, groups, []string{"algo-2", "algo-3", "algo-1"}},
		{
			"switched off",
			`{"sagemaker_mpi_enabled":"false","sagemaker_pytorch_ddp_enabled":"0"}`,
			groups,
			[]string{"algo-1", "algo-2", "algo-3"},
		},
		{
			"no group of all", `{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[]"}`,
			groups,
			[]string{"algo-2", "algo-3", "algo-1"},
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

// openGroups returns the machine of a host whose job has two groups.
func openGroups(hp, host string) *contract.Snapshot {
	group := map[string]string{"algo-1": "dnn", "algo-2": "data", "algo-3": "dnn"}[host]
	snap := snapshot(with("hyperparameters.json", hp))
	snap.Files["resourceconfig.json"] = contract.File{Data: []byte(`{"current_host":"` + host + `",` +
		`"hosts":["algo-1","algo-2","algo-3"],"instance_groups":[` +
		`{"instance_group_name":"data","hosts":["algo-2"]},{"instance_group_name":"dnn",` +
		`"hosts":["algo-3","algo-1"]}],"current_group_name":"` + group + `"}`)}
	return snap
}

// Whatever a job says of its groups, its hosts agree on the leader, on who takes part and on the ranks.
func TestEveryHostComesToTheSameLeader(t *testing.T) {
	groups := []string{
		``, `,"sagemaker_distribution_instance_groups":"[\"dnn\"]"`,
		`,"sagemaker_distribution_instance_groups":"[\"dnn\",\"data\"]"`,
		`,"sagemaker_distribution_instance_groups":"[]"`, `,"sagemaker_distribution_instance_groups":"dnn"`,
		`,"sagemaker_distribution_instance_groups":"[\"x\"]"`, `,"sagemaker_distribution_instance_groups":"null"`,
	}
	for _, d := range contract.Distributions() {
		for _, value := range []string{`"true"`, `"false"`, `1`, `"\"x\""`} {
			for _, named := range groups {
				hp := `{"` + d.Param + `":` + value + named + `}`
				first := load(t, openGroups(hp, "algo-1"))
				for _, host := range first.Hosts {
					job := load(t, openGroups(hp, host))
					if diff := cmp.Diff(first.Order(), job.Order()); diff != "" {
						t.Errorf("%s: order of algo-1 and of %s:\n%s", hp, host, diff)
					}
					if diff := cmp.Diff(first.Together(), job.Together()); diff != "" {
						t.Errorf("%s: together for algo-1 and for %s:\n%s", hp, host, diff)
					}
				}
			}
		}
	}
}

func TestRanksFollowTheListAndNotTheAlphabet(t *testing.T) {
	const resource = `{"current_host":"algo-2","hosts":["algo-9","algo-10","algo-2"]}`
	snap := snapshot(with("resourceconfig.json", resource))
	if rank := load(t, snap).Rank("algo-2"); rank != 2 {
		t.Errorf("rank %d, want 2", rank)
	}
}
