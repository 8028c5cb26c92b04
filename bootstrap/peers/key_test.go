package peers_test

import (
	"testing"

	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/contract"
)

// TestMalformedKeyIsRefusedWithoutShowingIt: the error says where the key is and what is wrong with it.
func TestMalformedKeyIsRefusedWithoutShowingIt(t *testing.T) {
	const (
		file     = "the cluster key in /etc/entrain/cluster.key: "
		variable = "the cluster key in ENTRAIN_CLUSTER_KEY: "
		expected = "expected the 64 hexadecimal digits that entrain keygen writes, "
	)
	for _, c := range []struct {
		env        []string
		file, want string
	}{
		{nil, "secret\n", file + expected + "got 6 characters"},
		{nil, "", file + expected + "got nothing"},
		{[]string{"ENTRAIN_CLUSTER_KEY=secret"}, "k", variable + expected + "got 6 characters"},
	} {
		snap := &contract.Snapshot{
			Root: "/opt/ml", Env: c.env, ClusterKey: contract.File{Data: []byte(c.file)},
			Files: map[string]contract.File{
				contract.HyperparametersFile: {Data: []byte("{}")},
				contract.InputDataFile:       {Data: []byte("{}")},
				contract.ResourceFile: {
					Data: []byte(`{"current_host":"algo-1","hosts":["algo-1","algo-2"]}`),
				},
			},
		}
		job, problems := contract.Load(snap)
		if job == nil {
			t.Fatal(problems)
		}
		p, err := plan.DecideWait(job, snap, plan.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		_, err = peers.Process{}.Join(p, "run", nil)
		if err == nil || err.Error() != c.want || report.ExitCode(err) != report.CodeUsage {
			t.Errorf("%q: %v, expected %s", c.env, err, c.want)
		}
	}
}
