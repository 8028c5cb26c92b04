package plan

import (
	"strings"
	"testing"

	"entrain/contract"
)

// An archive is unpacked only for the job's own program, and only where there is no other code.
func TestArchiveIsUnpackedForTheJobsOwnProgram(t *testing.T) {
	const archive = "/opt/ml/input/data/code/sourcedir.tar.gz"
	const program = `{"sagemaker_program":"t.py"}`
	file := contract.Entry{Kind: contract.KindFile}
	for _, c := range []struct {
		what, hp string
		code     *contract.Entry
		command  []string
		unpacks  bool
		note     string
	}{
		{"no directory", program, nil, nil, true, ""},
		{"an empty directory", program, &contract.Entry{Kind: contract.KindDir, Empty: true}, nil, true, ""},
		{"other code", program, &contract.Entry{Kind: contract.KindDir}, nil, false, archive + " is not unpacked"},
		{"a command", program, nil, []string{"x"}, false, ""},
		{"no program", `{}`, nil, []string{"x"}, false, ""},
		{
			"an archive elsewhere", `{"sagemaker_program":"t.py","sagemaker_submit_directory":"/x.tar.gz"}`, nil, nil,
			true, "",
		},
	} {
		in := photographJob(t, c.hp, alone)
		in.Snapshot.Paths = map[string]contract.Entry{archive: file, "/x.tar.gz": file}
		if c.code != nil {
			in.Snapshot.Paths["/opt/ml/code"] = *c.code
		}
		p, err := in.Plan(options(c.command...))
		if err != nil {
			t.Fatal(c.what, err)
		}
		if (p.Source != nil) != c.unpacks || !strings.Contains(strings.Join(p.Notes, "\n"), c.note) {
			t.Errorf("%s: %+v, notes %q", c.what, p.Source, p.Notes)
		}
		if own := p.Success != ""; own == (c.command != nil) {
			t.Errorf("%s: the toolkit's files are made: %v", c.what, own)
		}
		if c.unpacks && p.Source.Dir != "/opt/ml/code" {
			t.Errorf("%s: into %s", c.what, p.Source.Dir)
		}
	}
}
