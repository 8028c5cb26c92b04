package peers_test

import (
	"testing"
	"time"

	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/proc"
)

// TestMalformedKeyIsRefusedWithoutShowingIt: the error says where the key is and what is wrong with it.
func TestMalformedKeyIsRefusedWithoutShowingIt(t *testing.T) {
	const (
		file     = "the cluster key in /etc/entrain/cluster.key: "
		variable = "the cluster key in ENTRAIN_CLUSTER_KEY: "
		expected = "expected the 64 hexadecimal digits that entrain keygen writes, "
	)
	signals := proc.Catch()
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
		o := plan.Defaults()
		o.WaitTimeout, o.Rendezvous.Port = time.Millisecond, 0 // it stays for nobody
		p, err := plan.DecideWait(job, snap, o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = peers.Process{Signals: signals}.Join(p, "run", nil)
		if err == nil || err.Error() != c.want || report.ExitCode(err) != report.CodeUsage {
			t.Errorf("%q: %v, expected %s", c.env, err, c.want)
		}
	}
}
