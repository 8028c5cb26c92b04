package contract_test

import (
	"strings"
	"testing"

	"entrain/contract"
)

// The kinds of program are those of the toolkit's test_entry_point_type.py.
func TestProgramIsInstalledAndStartedByItsKind(t *testing.T) {
	for _, c := range []struct {
		program, files, install, words string
		python                         bool // only python is in PATH
	}{
		{program: "t.py", words: "python3 /opt/ml/code/t.py"},
		{program: "t.py", files: "pyproject.toml", words: "python3 /opt/ml/code/t.py"},
		{
			program: "t.py", files: "requirements.txt",
			install: "python3 -m pip install -r requirements.txt", words: "python3 /opt/ml/code/t.py",
		},
		{
			program: "t.py", files: "setup.py", python: true,
			install: "python -m pip install .", words: "python -m t",
		},
		{
			program: "t", files: "setup.py requirements.txt",
			install: "python3 -m pip install . -r requirements.txt", words: "python3 -m t",
		},
		{program: "t.sh", files: "setup.py requirements.txt", words: "/opt/ml/code/t.sh"},
		{program: "t", files: "requirements.txt", words: "/opt/ml/code/t"},
	} {
		snap := snapshot(map[string]string{
			contract.HyperparametersFile: `{"sagemaker_program":"` + c.program + `"}`,
			contract.InputDataFile:       "{}",
			contract.ResourceFile:        `{"current_host":"algo-1","hosts":["algo-1"]}`,
		})
		snap.Programs = map[string]bool{"python": true, "python3": !c.python}
		snap.Paths = map[string]contract.Entry{"/opt/ml/code/" + c.program: {Kind: contract.KindFile}}
		for name := range strings.FieldsSeq(c.files) {
			snap.Paths["/opt/ml/code/"+name] = contract.Entry{Kind: contract.KindFile}
		}
		job := load(t, snap)
		install, words := strings.Join(job.InstallWords(snap), " "), strings.Join(job.ScriptWords(snap), " ")
		if install != c.install || words != c.words {
			t.Errorf("%s beside %q: %q and %q", c.program, c.files, install, words)
		}
	}
}
