package bootstrap

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"entrain/contract"
)

const two = `{"current_host":"algo-1","hosts":["algo-1","algo-2"]}`

// TestKeyModes: a key that others can read or change is warned of, where it is the one that counts.
func TestKeyModes(t *testing.T) {
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
		in := world(t, "{}", c.resource, c.env...)
		in.Snapshot.ClusterKey, in.Snapshot.ClusterKeyMode = c.file, c.mode
		problems := keyProblems(in.Job, in.Snapshot)
		if c.want == "" && len(problems) == 0 {
			continue
		}
		want := "/etc/entrain/cluster.key: " + c.want
		if len(problems) != 1 || !problems[0].Warning || c.want == "" || !strings.HasPrefix(problems[0].String(), want) {
			t.Errorf("%04o %q: %v, expected %q", c.mode, c.env, problems, c.want)
		}
	}
	if problems := keyProblems(nil, &contract.Snapshot{}); problems != nil {
		t.Errorf("of no job: %v", problems)
	}
}

func TestPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	put(t, path, "k")
	if err := os.Chmod(path, 0o642); err != nil {
		t.Fatal(err)
	}
	if mode := permissions(path); mode != 0o642 {
		t.Errorf("%04o", mode)
	}
	if mode := permissions(path + ".gone"); mode != 0 {
		t.Errorf("of no file: %04o", mode)
	}
}

// TestMalformedKey: what cannot be a key is told with where it is, and not repeated.
func TestMalformedKey(t *testing.T) {
	for _, c := range []struct {
		env        []string
		file, want string
	}{
		{nil, "secret\n", "the cluster key in /etc/entrain/cluster.key: expected the 64 hexadecimal digits that entrain keygen writes, got 6 characters"},
		{nil, "", "the cluster key in /etc/entrain/cluster.key: expected the 64 hexadecimal digits that entrain keygen writes, got nothing"},
		{[]string{"ENTRAIN_CLUSTER_KEY=secret"}, "k", "the cluster key in ENTRAIN_CLUSTER_KEY: expected the 64 hexadecimal digits that entrain keygen writes, got 6 characters"},
	} {
		in := world(t, "{}", two, c.env...)
		in.Snapshot.ClusterKey = contract.File{Data: []byte(c.file)}
		plan, err := in.Plan(options("true"))
		if err != nil {
			t.Fatal(err)
		}
		d := &Doer{log: zerolog.New(&bytes.Buffer{})}
		if _, err := d.meet(plan.Meet, "run", nil); err == nil || err.Error() != c.want || ExitCode(err) != 64 {
			t.Errorf("%q: %v, expected %s", c.env, err, c.want)
		}
	}
}
