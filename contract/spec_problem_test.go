package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

func TestMistakeInASpecificationIsReportedAtItsPlace(t *testing.T) {
	const noKey = `found no key of a TrainingSpecification, expected one of SupportedHyperParameters, ` +
		`TrainingChannels, SupportedTrainingInstanceTypes, SupportsDistributedTraining, TrainingImage`
	for _, c := range []struct{ text, want string }{
		{
			`{"TrainingChannels": null, "SupportedHyperParameter": []}`,
			`warning: spec.json:1:28: key "SupportedHyperParameter" is not one of a TrainingSpecification`,
		},
		{
			`{"SupportedHyperParameters": {}}`,
			`spec.json:1:30: SupportedHyperParameters is an object, expected a list`,
		},
		{
			`{"SupportedHyperParameters": ["x"]}`,
			`spec.json:1:31: an entry of SupportedHyperParameters is "x", expected an object`,
		},
		{
			`{"SupportedHyperParameters": [{"Type": "Integer"}]}`,
			`spec.json:1:31: an entry of SupportedHyperParameters has no Name`,
		},
		{`{"SupportedHyperParameters": [{"Name": "lr"}]}`, `spec.json:1:31: hyperparameter "lr" has no Type`},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Float"}]}`,
			`spec.json:1:54: hyperparameter "lr": ` +
				`Type is "Float", expected Integer, Continuous, Categorical, FreeText`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText", "Typo": 1}]}`,
			`warning: spec.json:1:66: hyperparameter "lr": key "Typo" is not one of a TrainingSpecification`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText"}, {"Name": "lr", "Type": "FreeText"}]}`,
			`spec.json:1:67: hyperparameter "lr" appears more than once`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "DefaultValue": "x"}]}`,
			`spec.json:1:81: hyperparameter "lr": DefaultValue is "x", expected a whole number`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "DefaultValue": 5}]}`,
			`spec.json:1:81: hyperparameter "lr": DefaultValue is 5, expected a string`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "IsRequired": "yes"}]}`,
			`spec.json:1:79: hyperparameter "lr": IsRequired is "yes", expected a boolean`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", ` +
				`"Range": {"ContinuousParameterRangeSpecification": {}}}]}`,
			`spec.json:1:75: hyperparameter "lr": Range has "ContinuousParameterRangeSpecification", ` +
				`expected IntegerParameterRangeSpecification for the Type Integer`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", ` +
				`"Range": {"IntegerParameterRangeSpecification": {"MinValue": "a"}}}]}`,
			`spec.json:1:126: hyperparameter "lr": MinValue is "a", expected a whole number`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", ` +
				`"Range": {"IntegerParameterRangeSpecification": {"MinValue": "9", "MaxValue": "10"}}}]}`,
			``,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", ` +
				`"Range": {"IntegerParameterRangeSpecification": {"MinValue": "9007199254740993", ` +
				`"MaxValue": "9007199254740992"}}, "DefaultValue": "1"}]}`,
			`spec.json:1:113: hyperparameter "lr": MinValue 9007199254740993 is above MaxValue 9007199254740992`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", ` +
				`"Range": {"IntegerParameterRangeSpecification": {"Min": "1", "Maxvalue": "2"}}}]}`,
			`spec.json:1:114: hyperparameter "lr": IntegerParameterRangeSpecification has "Min", ` +
				"expected MinValue, MaxValue for the Type Integer\n" +
				`spec.json:1:126: hyperparameter "lr": IntegerParameterRangeSpecification has "Maxvalue", ` +
				`expected MinValue, MaxValue for the Type Integer`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Categorical", ` +
				`"Range": {"CategoricalParameterRangeSpecification": {"Value": ["a"]}}}]}`,
			`spec.json:1:122: hyperparameter "lr": ` +
				`CategoricalParameterRangeSpecification has "Value", expected Values for the Type Categorical`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText", ` +
				`"Range": {"IntegerParameterRangeSpecification": {}}}]}`,
			`spec.json:1:75: hyperparameter "lr": the Type FreeText takes no Range`,
		},
		{
			`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Int", ` +
				`"Range": {"IntegerParameterRangeSpecification": {}}, "DefaultValue": "x"}]}`,
			`spec.json:1:54: hyperparameter "lr": Type is "Int", expected Integer, Continuous, Categorical, FreeText`,
		},
		{
			`{"TrainingChannels": [{"IsRequired": true}]}`,
			`spec.json:1:23: an entry of TrainingChannels has no Name`,
		},
		{`{"TrainingChannels": [{"Name": ""}]}`, `spec.json:1:32: an entry of TrainingChannels: Name is empty`},
		{
			`{"TrainingChannels": [{"Name": "t", "SupportedInputModes": ["Stream"]}]}`,
			`spec.json:1:61: channel "t": an input mode is "Stream", expected File, FastFile, Pipe`,
		},
		{
			`{"TrainingChannels": [{"Name": "t", "SupportedInputModes": ["pipe"]}]}`,
			`warning: spec.json:1:61: channel "t": an input mode is "pipe", expected it spelled "Pipe"`,
		},
		{
			`{"TrainingChannels": [{"Name": "t", "SupportedCompressionTypes": ["Zip"]}]}`,
			`spec.json:1:67: channel "t": a compression type is "Zip", expected None, Gzip`,
		},
		{
			`{"TrainingChannels": [{"Name": "t"}, {"Name": "t"}]}`,
			`spec.json:1:38: channel "t" appears more than once`,
		},
		{
			`{"TrainingSpecification": {"SupportedTrainingInstanceTypes": "x"}}`,
			`spec.json:1:62: SupportedTrainingInstanceTypes is "x", expected a list`,
		},
		{`{"TrainingSpecification": 1}`, `spec.json:1:27: TrainingSpecification is 1, expected an object`},
		{`{}`, `spec.json:1:1: ` + noKey},
		{`null`, `spec.json:1:1: ` + noKey},
		{`{"TrainingSpecification": {"x": 1}}`, `spec.json:1:27: ` + noKey},
		{`{"TrainingSpecification": null}`, `spec.json:1:27: TrainingSpecification is null, expected an object`},
		{``, `spec.json: is empty, expected a JSON object`},
		{`[`, `spec.json:1:2: found the end of the file where a JSON value should be`},
	} {
		job, problems := contract.Load(withSpec(minimal(), c.text))
		if got := strings.Join(printed(problems), "\n"); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, got, c.want)
		}
		if (job == nil) != (len(contract.Errors(problems)) > 0) {
			t.Errorf("%s: job %v", c.text, job)
		}
	}
	snap := snapshot(minimal())
	snap.SpecPath, snap.Spec = "spec.json", contract.File{Problem: "is missing"}
	const missing = "spec.json: is missing, expected a readable file\nhint: entrain spec writes one"
	if _, problems := contract.Load(snap); len(problems) != 1 || problems[0].String() != missing {
		t.Error(problems)
	}
}

func TestHintSaysWhereInADocumentTheSpecificationMayBe(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{
			`{"AlgorithmName": "x", "trainingSpecification": {"TrainingChannels": []}}`,
			`hint: it is in "trainingSpecification": call that TrainingSpecification, or leave it out`,
		},
		{`{"supportedHyperParameters": []}`, `hint: did you mean "SupportedHyperParameters"?`},
		{`{"trainingSpecification": {}}`, `hint: did you mean "TrainingSpecification"?`},
		{`{"x": {}}`, `SupportsDistributedTraining, TrainingImage`},
	} {
		job, problems := contract.Load(withSpec(minimal(), c.text))
		if job != nil || len(problems) != 1 || !strings.HasSuffix(problems[0].String(), c.want) {
			t.Errorf("%s: %v, want one that ends with %s", c.text, problems, c.want)
		}
	}
}

func TestEmptyListInASpecificationAllowsNothing(t *testing.T) {
	_, problems := contract.Load(withSpec(good(),
		`{"SupportedHyperParameters": [], "TrainingChannels": [], "SupportedTrainingInstanceTypes": []}`))
	want := []string{
		`hyperparameters.json:1:2: hyperparameter "lr" is not one of the algorithm's: the algorithm takes none`,
		`inputdataconfig.json:1:2: channel "train" is not one of the algorithm's: the algorithm takes none`,
	}
	if diff := cmp.Diff(want, printed(problems)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMistakeInASpecificationIsNoProblemOfTheJob(t *testing.T) {
	for _, text := range []string{
		`{"SupportedHyperParameters": [{"Name": "lr"}]}`,
		`{"SupportedHyperParameters": [{"Name": "lr", "Type": 1}]}`,
		`{"SupportedHyperParameters": {}}`, `{"SupportedHyperParameters": ["lr"]}`,
		`{"SupportedHyperParameters": [{"Type": "FreeText"}]}`,
		`{"TrainingChannels": {}}`, `{"TrainingChannels": ["train"]}`, `{"TrainingChannels": [{}]}`,
	} {
		if _, problems := contract.Load(withSpec(good(), text)); len(problems) != 1 {
			t.Errorf("%s: %v, want one", text, problems)
		}
	}
}
