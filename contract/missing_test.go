package contract_test

import (
	"strings"
	"testing"

	"entrain/contract"
)

func TestMissingContractIsOneProblemAndAMissingFileAnother(t *testing.T) {
	file := func(text string) contract.File { return contract.File{Data: []byte(text)} }
	gone := contract.File{Problem: "is missing"}
	away := contract.File{Problem: "cannot be read: not a directory"}
	for what, c := range map[string]struct {
		files  map[string]contract.File
		config []string
		want   []string // in turns: the start of a problem, and a part of its hint
	}{
		"nothing": {
			nil, nil,
			[]string{"no contract in /opt/ml/input/config: hyperparameters.json, ", "entrain scaffold"},
		},
		"other files": {
			nil,
			[]string{"notes.txt", "hyperparameters.yaml"},
			[]string{"no contract in ", "entrain scaffold"},
		},
		"all are gone": {
			map[string]contract.File{"hyperparameters.json": gone},
			nil,
			[]string{"no contract in ", "entrain scaffold"},
		},
		"the root is a file": {
			map[string]contract.File{
				"hyperparameters.json": away, "inputdataconfig.json": away, "resourceconfig.json": away,
			},
			nil,
			[]string{"no contract in ", "entrain scaffold"},
		},
		"one is no file": {
			map[string]contract.File{"resourceconfig.json": {Problem: "is a directory"}},
			nil,
			[]string{
				"hyperparameters.json: is missing", "the platform",
				"inputdataconfig.json: is missing", "the platform",
				"resourceconfig.json: is a directory", "",
			},
		},
		"another name": {
			map[string]contract.File{"hyperparameters.json": file("{}"), "inputdataconfig.json": file("{}")},
			[]string{"hyperparameters.json", "inputdataconfig.json", "ResourceConfig.json"},
			[]string{"resourceconfig.json: is missing", "did you mean ResourceConfig.json"},
		},
	} {
		_, problems := contract.Load(&contract.Snapshot{Root: "/opt/ml", Files: c.files, Config: c.config})
		if len(problems) != len(c.want)/2 {
			t.Errorf("%s: %v", what, problems)
			continue
		}
		for i, p := range problems {
			if !strings.HasPrefix(p.String(), c.want[2*i]) || !strings.Contains(p.Hint, c.want[2*i+1]) {
				t.Errorf("%s: %v", what, p)
			}
		}
	}
}
