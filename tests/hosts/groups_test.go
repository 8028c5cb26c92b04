package hosts

import (
	"fmt"
	"testing"
)

// openGroups is a preparation: the job has two instance groups and a distribution, and does not say which of
// the groups train together.
func openGroups(l *lab) {
	groups := []string{"dnn", "data", "dnn"}
	for i, h := range l.hosts {
		h.write("ml/input/config/hyperparameters.json", `{"sagemaker_mpi_enabled":"true"}`)
		h.write("ml/input/config/resourceconfig.json", fmt.Sprintf(`{"current_host":%q,"current_group_name":%q,`+
			`"hosts":["algo-1","algo-2","algo-3"],"network_interface_name":"eth0","instance_groups":[`+
			`{"instance_group_name":"data","instance_type":"ml.c5.xlarge","hosts":["algo-2"]},`+
			`{"instance_group_name":"dnn","instance_type":"ml.m5.xlarge","hosts":["algo-3","algo-1"]}]}`,
			h.name, groups[i]))
	}
}

// TestHostsOfOpenGroupsHaveOneLeader checks that such hosts meet. They used to have two leaders, and waited
// for each other.
func TestHostsOfOpenGroupsHaveOneLeader(t *testing.T) {
	alone := []string{
		"run", "--launcher", "none", "--args-style", "none", "--wait-timeout", "8s", "--", "sh", "-c",
	}
	for _, s := range []scenario{
		{name: "each host alone", words: append(alone, "true"), codes: []int{0, 0, 0}},
		{
			name: "a trainer fails", words: append(alone, `test $SM_CURRENT_HOST_RANK != 1 || exit 3; sleep 60`),
			codes: []int{3, 3, 3}, failure: "algo-3: exit code 3", failed: map[int]string{2: "sh: exit code 3"},
		},
		{name: "a launch", words: launchArgs(standIn, "true"), codes: []int{0, 0, 0}},
	} {
		s.n, s.prepare = 3, openGroups
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
