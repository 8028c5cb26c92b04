package plan

import (
	"strings"
	"testing"

	"entrain/contract"
)

const two = `{"current_host":"algo-1","hosts":["algo-1","algo-2"]}`

func TestAKeyFileThatOtherUsersCanReadOrChangeIsAWarning(t *testing.T) {
	const read, change = "every user can read", "other users can change"
	for _, c := range []struct {
		mode     uint32
		resource string
		env      []string
		file     contract.File
		want     string
	}{
		{0o600, two, nil, contract.File{Data: []byte("k")}, ""},
		{0o400, two, nil, contract.File{Data: []byte("k")}, ""},
		{0o640, two, nil, contract.File{Data: []byte("k")}, ""}, // the group may be the trainer's
		{0o644, two, nil, contract.File{Data: []byte("k")}, "mode 0644: " + read},
		{0o604, two, nil, contract.File{Data: []byte("k")}, "mode 0604: " + read},
		{0o660, two, nil, contract.File{Data: []byte("k")}, "mode 0660: " + change},
		{0o602, two, nil, contract.File{Data: []byte("k")}, "mode 0602: " + change},
		{0o777, two, nil, contract.File{Data: []byte("")}, "mode 0777: " + change},
		{0o777, alone, nil, contract.File{Data: []byte("k")}, ""},
		{0o777, two, []string{"ENTRAIN_CLUSTER_KEY=x"}, contract.File{Data: []byte("k")}, ""},
		{0o777, two, nil, contract.File{Problem: "is a directory"}, ""},
		{0, two, nil, contract.File{}, ""},
	} {
		in := photographJob(t, "{}", c.resource, c.env...)
		in.Snapshot.ClusterKey, in.Snapshot.ClusterKeyMode = c.file, c.mode
		problems := CheckKey(in.Job, in.Snapshot)
		if c.want == "" && len(problems) == 0 {
			continue
		}
		want := "/etc/entrain/cluster.key: " + c.want
		warned := len(problems) == 1 && problems[0].Warning && strings.HasPrefix(problems[0].String(), want)
		if c.want == "" || !warned {
			t.Errorf("%04o %q: %v, expected %q", c.mode, c.env, problems, c.want)
		}
	}
	if problems := CheckKey(nil, &contract.Snapshot{}); problems != nil {
		t.Errorf("of no job: %v", problems)
	}
}

func TestAKeyFileThatCannotBeReadIsAnErrorUnlessAVariableHoldsTheKey(t *testing.T) {
	in := photographJob(t, `{}`, two, "ENTRAIN_CLUSTER_KEY="+strings.Repeat("00", 32))
	in.Snapshot.ClusterKey.Problem = "cannot be read: permission denied"
	if plan, err := in.Plan(options("x")); err != nil || !plan.Rendezvous.Key.Given {
		t.Error(err)
	}
	in.Snapshot.Env = nil
	_, err := in.Plan(options("x"))
	if !isUsage(err) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"permission denied, expected a readable file",
		"\nhint: in the Dockerfile: RUN entrain keygen --owner ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
