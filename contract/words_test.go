package contract_test

import (
	"strings"
	"testing"

	"entrain/contract"
)

// TestWordsOfTheAPIAreNoticed: a key of CreateTrainingJob in a file that has another name for it is told.
func TestWordsOfTheAPIAreNoticed(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"inputdataconfig.json", `{"train":{"InputMode":"Pipe"}}`, `did you mean "TrainingInputMode"?`},
		{"inputdataconfig.json", `{"train":{"S3DataDistributionType":"x"}}`, `did you mean "S3DistributionType"?`},
		{
			"resourceconfig.json",
			`{"current_host":"a","hosts":["a"],"instance_groups":[{"InstanceGroupName":"g"}]}`,
			"the hosts of that entry are missing",
		},
		{"hyperparameters.json", "\x00\x00\x00\x00", "0"},
	} {
		_, problems := contract.Load(snapshot(with(c.file, c.text)))
		if text := strings.Join(printed(problems), "\n") + hintsOf(problems); !strings.Contains(text, c.want) ||
			strings.Contains(text, "UTF-32") {
			t.Errorf("%s: %q, want %q", c.text, text, c.want)
		}
	}
}

func hintsOf(problems []contract.Problem) string {
	var hints string
	for _, p := range problems {
		hints += "\n" + p.Hint
	}
	return hints
}

func TestSpecificationWithoutContentIsWrittenBySpec(t *testing.T) {
	for _, text := range []string{"", "{}", "null"} {
		_, problems := contract.Load(withSpec(good(), text))
		if hints := hintsOf(problems); !strings.Contains(hints, "entrain spec writes one") ||
			strings.Contains(hints, "write {}") {
			t.Errorf("%q: %q", text, hints)
		}
	}
}

func TestTrainingImageThatIsNoTextIsReported(t *testing.T) {
	snap := withSpec(good(), `{"TrainingImage":5}`)
	text := strings.Join(printed(contract.CheckAlgorithm(snap)), "\n")
	if !strings.Contains(text, "TrainingImage is 5") {
		t.Errorf("%q", text)
	}
}
