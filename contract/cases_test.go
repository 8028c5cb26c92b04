package contract_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
)

// testdata is the directory with the output of the reference implementations. Its SOURCES.md says where each
// file comes from.
const testdata = "../tests/testdata"

type refCase struct {
	Name  string
	Files map[string]string
	Args  []string
	Env   map[string]string
}

func referenceCases(t *testing.T, name string) []refCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	var cases []refCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// snapshot returns the machine on which the reference implementations ran, with these configuration files.
func snapshot(files map[string]string) *contract.Snapshot {
	s := &contract.Snapshot{
		Root:    contract.DefaultRoot,
		Env:     []string{"TRAINING_JOB_NAME=job-1", "AWS_REGION=us-west-2"},
		Machine: contract.Machine{CPUs: 4},
		Files:   map[string]contract.File{},
	}
	for name, text := range files {
		s.Files[name] = contract.File{Data: []byte(text)}
	}
	return s
}

func words(args []hparams.Arg) []string {
	out := []string{}
	for _, a := range args {
		out = append(out, a.Words...)
	}
	return out
}

func TestFlagsAndVariablesEqualThoseOfBothReferencesByteForByte(t *testing.T) {
	for _, style := range []string{"toolkit", "drivers"} {
		for _, c := range referenceCases(t, style+".json") {
			t.Run(style+"/"+c.Name, func(t *testing.T) {
				snap := snapshot(c.Files)
				job, problems := contract.Load(snap)
				if job == nil {
					t.Fatal(problems)
				}
				args, err := hparams.Args(hparams.Style(style), job.Params, hparams.GNU{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.Args, words(args)); diff != "" {
					t.Errorf("flags (-reference +ours):\n%s", diff)
				}
				got := map[string]string{}
				for _, v := range contract.Env(job, snap, contract.EnvStyle(style), words(args)) {
					if _, again := got[v.Name]; again {
						t.Errorf("%s is set twice", v.Name)
					}
					if _, wanted := c.Env[v.Name]; wanted {
						got[v.Name] = v.Value
					}
				}
				if diff := cmp.Diff(c.Env, got); diff != "" {
					t.Errorf("variables (-reference +ours):\n%s", diff)
				}
			})
		}
	}
}
