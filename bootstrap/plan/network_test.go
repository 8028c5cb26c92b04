package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrain/contract"
)

// addedTo returns the variables of a plan whose names begin with one of these words, in their order.
func addedTo(t *testing.T, in *photographed, o Options, prefixes ...string) []string {
	t.Helper()
	plan, err := in.Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(plan.Command.Env[len(plan.Command.Env)-plan.Added:], func(kv string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(kv, p) })
	})
}

// TestTheTrainersLibrariesAreLedToTheNetwork: the interface and the adapter, on every host of several, under
// every launcher and none.
func TestTheTrainersLibrariesAreLedToTheNetwork(t *testing.T) {
	const resource = `{"current_host":"algo-2","hosts":["algo-1","algo-2"],"current_instance_type":"%s",` +
		`"network_interface_name":"eth1","current_group_name":"g","instance_groups":[{"instance_group_name":"g",` +
		`"instance_type":"%[1]s","hosts":["algo-1","algo-2"]}]}`
	const alone = `{"current_host":"algo-1","hosts":["algo-1"],"current_instance_type":"%s"}`
	named := []string{"NCCL_SOCKET_IFNAME=eth1", "GLOO_SOCKET_IFNAME=eth1", "TP_SOCKET_IFNAME=eth1"}
	both := []string{"lo", "eth0", "eth1"}
	for _, c := range []struct {
		name, resource, instance string
		interfaces, env, want    []string
	}{
		{"named", resource, "ml.m5.large", both, nil, named},
		{
			"a longer name beside it", resource, "local", append(both, "eth10"), nil,
			append([]string{"NCCL_SOCKET_IFNAME==eth1"}, named[1:]...),
		},
		{"not there", resource, "ml.m5.large", []string{"lo", "eth0"}, nil, nil},
		{"unknown", resource, "ml.m5.large", nil, nil, nil},
		{
			"the container has one", resource, "local", both,
			[]string{"GLOO_SOCKET_IFNAME=bond0"},
			[]string{named[0], named[2]},
		},
		{"an adapter", resource, "ml.p5.48xlarge", both, nil, append(slices.Clone(named), "FI_PROVIDER=efa")},
		{
			"an old adapter", resource, "ml.p4d.24xlarge", nil,
			[]string{"NCCL_PROTO=ll"},
			[]string{"FI_PROVIDER=efa", "FI_EFA_USE_DEVICE_RDMA=1"},
		},
		{"alone", alone, "ml.p4d.24xlarge", both, nil, nil},
	} {
		for _, launcher := range []string{LauncherNone, LauncherScript} {
			in := photographJob(t, "{}", fmt.Sprintf(c.resource, c.instance), c.env...)
			in.Snapshot.Interfaces = c.interfaces
			in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: "mpirun (Open MPI) 4.1.4"}
			in.Snapshot.ClusterKey.Data = []byte(strings.Repeat("k", 64))
			o := options("a")
			o.Launcher = launcher
			got := addedTo(t, in, o, "NCCL", "GLOO", "TP_", "FI_PROVIDER", "FI_EFA", "RDMAV")
			if !slices.Equal(got, c.want) {
				t.Errorf("%s under %s: %q, want %q", c.name, launcher, got, c.want)
			}
		}
	}
}

// TestTheTrainersFindEachOther: the addresses are those of the hosts that train together, and a host that is
// not one of them, or alone, has none. No host-level value has a name that other platforms use for ranks.
func TestTheTrainersFindEachOther(t *testing.T) {
	const grouped = `{"current_host":"%s","hosts":["algo-1","algo-2","algo-3"],"current_group_name":"%s",` +
		`"instance_groups":[{"instance_group_name":"data","instance_type":"x","hosts":["algo-1"]},` +
		`{"instance_group_name":"train","instance_type":"x","hosts":["algo-2","algo-3"]}]}`
	const inTrain = `{"sagemaker_distribution_instance_groups":"[\"train\"]"}`
	for _, c := range []struct {
		name, hp, resource, want string
		env                      []string
	}{
		{"alone", "{}", alone, "", nil},
		{"first of all", "{}", fmt.Sprintf(grouped, "algo-1", "data"), "MASTER_ADDR=algo-1 MASTER_PORT=7777 " +
			"NODE_RANK=0 JAX_COORDINATOR_ADDRESS=algo-1:7778 JAX_NUM_PROCESSES=3 JAX_PROCESS_ID=0", nil},
		{"last of a group", inTrain, fmt.Sprintf(grouped, "algo-3", "train"), "MASTER_ADDR=algo-2 " +
			"MASTER_PORT=7777 NODE_RANK=1 JAX_COORDINATOR_ADDRESS=algo-2:7778 " +
			"JAX_NUM_PROCESSES=2 JAX_PROCESS_ID=1", nil},
		{"outside", inTrain, fmt.Sprintf(grouped, "algo-1", "data"), "", nil},
		{"the container has some", "{}", two, "NODE_RANK=0 JAX_NUM_PROCESSES=2 JAX_PROCESS_ID=0", []string{
			"MASTER_ADDR=10.0.0.1", "MASTER_PORT=1", "JAX_COORDINATOR_ADDRESS=x:1",
		}},
	} {
		got := addedTo(t, photographJob(t, c.hp, c.resource, c.env...), options("a"),
			"MASTER_", "NODE_RANK", "JAX_", "RANK=", "WORLD_SIZE", "PET_", "TF_CONFIG")
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
