package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
)

const spec = `{
"SupportedHyperParameters": [
 {"Name": "epochs", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "100"}}, "DefaultValue": "10"},
 {"Name": "lr", "Type": "Continuous", "Range": {"ContinuousParameterRangeSpecification": {"MinValue": "0", "MaxValue": "1e-1"}}, "IsRequired": true, "IsTunable": true, "Description": "x"},
 {"Name": "optimizer", "Type": "Categorical", "Range": {"CategoricalParameterRangeSpecification": {"Values": ["sgd", "adam"]}}},
 {"Name": "note", "Type": "FreeText", "DefaultValue": ""},
 {"Name": "amp", "Type": "Categorical", "Range": {"CategoricalParameterRangeSpecification": {"Values": ["true", "false"]}}},
 {"Name": "api_key", "Type": "Integer"}],
"TrainingChannels": [
 {"Name": "train", "IsRequired": true, "SupportedContentTypes": ["text/csv"], "SupportedCompressionTypes": ["None", "Gzip"], "SupportedInputModes": ["File", "Pipe"]},
 {"Name": "validation", "SupportedContentTypes": [], "SupportedInputModes": ["File"]}],
"SupportedTrainingInstanceTypes": ["ml.m5.xlarge", "ml.g5.xlarge"],
"SupportsDistributedTraining": false, "TrainingImage": "x", "MetricDefinitions": []}`

func withSpec(files map[string]string, text string) *contract.Snapshot {
	snap := snapshot(files)
	snap.SpecPath, snap.Spec = "spec.json", contract.File{Data: []byte(text)}
	return snap
}

// good is a job that the specification takes.
func good() map[string]string {
	files := minimal()
	files["hyperparameters.json"] = `{"lr": "0.05"}`
	files["inputdataconfig.json"] = `{"train": {"ContentType": "text/csv; charset=utf-8", "TrainingInputMode": "Pipe"}}`
	return files
}

// TestSpecAgainstJob: what a job does differently is said in the file and at the place where it does.
func TestSpecAgainstJob(t *testing.T) {
	const hp, in, rc = "hyperparameters.json", "inputdataconfig.json", "resourceconfig.json"
	for _, c := range []struct {
		what, file, text string
		want             []string
	}{
		{"nothing", hp, `{"lr": "0.05", "sagemaker_region": "x", "_tuning_objective_metric": "y", "_kfold": "1"}`, nil},
		{"encoded by the SDK", hp, `{"lr": "\"0.05\"", "epochs": "\"7\"", "optimizer": "\"sgd\"", "amp": "true"}`, nil},
		{"required", hp, `{}`, []string{`hyperparameters.json:1:1: hyperparameter "lr" is missing, the algorithm requires it`}},
		{"unknown", hp, `{"lr": "0", "epoch": "1", "zzz": "1"}`, []string{
			`hyperparameters.json:1:13: hyperparameter "epoch" is not one of the algorithm's: ["epochs","lr","optimizer","note","amp","api_key"]` + "\nhint: " + `did you mean "epochs"?`,
			`hyperparameters.json:1:27: hyperparameter "zzz" is not one of the algorithm's: ["epochs","lr","optimizer","note","amp","api_key"]`,
		}},
		{"no whole number", hp, `{"lr": "0", "epochs": "1.5"}`, []string{`hyperparameters.json:1:23: hyperparameter "epochs" is "1.5", expected a whole number from 1 to 100`}},
		{"too large", hp, `{"lr": "0.2", "epochs": "101"}`, []string{
			`hyperparameters.json:1:8: hyperparameter "lr" is "0.2", expected a number from 0 to 1e-1`, `hyperparameters.json:1:25: hyperparameter "epochs" is "101", expected a whole number from 1 to 100`,
		}},
		{"no number", hp, `{"lr": "NaN", "epochs": "0x10"}`, []string{
			`hyperparameters.json:1:8: hyperparameter "lr" is "NaN", expected a number from 0 to 1e-1`, `hyperparameters.json:1:25: hyperparameter "epochs" is "0x10", expected a whole number from 1 to 100`,
		}},
		{"a list", hp, `{"lr": "[0.05]"}`, []string{`hyperparameters.json:1:8: hyperparameter "lr" is "[0.05]", expected a number from 0 to 1e-1`}},
		{"no such value", hp, `{"lr": "0", "optimizer": "adamw"}`, []string{`hyperparameters.json:1:26: hyperparameter "optimizer" is "adamw", expected one of ["sgd","adam"]` + "\nhint: " + `did you mean "adam"?`}},
		{"a secret", hp, `{"lr": "0", "api_key": "hunter2"}`, []string{`hyperparameters.json:1:24: hyperparameter "api_key" is ******, expected a whole number`}},
		{"channels", in, `{"trian": {}, "validation": {"TrainingInputMode": "Pipe", "ContentType": "anything"}, "code": {}, "sm_drivers": {}}`, []string{
			`inputdataconfig.json:1:1: channel "train" is missing, the algorithm requires it`,
			`inputdataconfig.json:1:2: channel "trian" is not one of the algorithm's: ["train","validation"]` + "\nhint: " + `did you mean "train"?`,
			`inputdataconfig.json:1:15: channel "validation" is in Pipe mode, the algorithm takes ["File"]`,
		}},
		{"content", in, `{"train": {"ContentType": "text/cvs"}}`, []string{`inputdataconfig.json:1:2: channel "train" has ContentType "text/cvs", the algorithm takes ["text/csv"]` + "\nhint: " + `did you mean "text/csv"?`}},
		{"cluster", rc, `{"current_host": "a", "hosts": ["a", "b"], "current_instance_type": "ml.m5.large"}`, []string{
			`resourceconfig.json:1:32: 2 hosts, the algorithm trains on one: SupportsDistributedTraining is false`,
			`resourceconfig.json:1:69: current_instance_type "ml.m5.large", the algorithm takes ["ml.m5.xlarge","ml.g5.xlarge"]` + "\nhint: " + `did you mean "ml.m5.xlarge"?`,
		}},
		{"a laptop", rc, `{"current_host": "a", "hosts": ["a"], "current_instance_type": "local_gpu"}`, nil},
		{"beside another problem", hp, `{"lr": "0", "lr": "2"}`, []string{
			`hyperparameters.json:1:13: duplicate key "lr", the last one counts` + "\nhint: " + `remove one of them`,
			`hyperparameters.json:1:19: hyperparameter "lr" is "2", expected a number from 0 to 1e-1`,
		}},
		{"a file that cannot be read says nothing of what it lacks", hp, `{`, []string{`hyperparameters.json:1:2: found the end of the file where a key in double quotes should be`}},
	} {
		t.Run(c.what, func(t *testing.T) {
			files := good()
			files[c.file] = c.text
			_, problems := contract.Load(withSpec(files, spec))
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSpecProblems: a specification's own mistakes have a place too.
func TestSpecProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"TrainingChannels": null, "SupportedHyperParameter": []}`, `warning: spec.json:1:28: key "SupportedHyperParameter" is not one of a TrainingSpecification`},
		{`{"SupportedHyperParameters": {}}`, `spec.json:1:30: SupportedHyperParameters is an object, expected a list`},
		{`{"SupportedHyperParameters": ["x"]}`, `spec.json:1:31: an entry of SupportedHyperParameters is "x", expected an object`},
		{`{"SupportedHyperParameters": [{"Type": "Integer"}]}`, `spec.json:1:31: an entry of SupportedHyperParameters has no Name`},
		{`{"SupportedHyperParameters": [{"Name": "lr"}]}`, `spec.json:1:31: hyperparameter "lr" has no Type`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Float"}]}`, `spec.json:1:54: hyperparameter "lr": Type is "Float", expected Integer, Continuous, Categorical, FreeText`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText", "Typo": 1}]}`, `warning: spec.json:1:66: hyperparameter "lr": key "Typo" is not one of a TrainingSpecification`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText"}, {"Name": "lr", "Type": "FreeText"}]}`, `spec.json:1:67: hyperparameter "lr" appears more than once`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "DefaultValue": "x"}]}`, `spec.json:1:81: hyperparameter "lr": DefaultValue is "x", expected a whole number`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "DefaultValue": 5}]}`, `spec.json:1:81: hyperparameter "lr": DefaultValue is 5, expected a string`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "IsRequired": "yes"}]}`, `spec.json:1:79: hyperparameter "lr": IsRequired is "yes", expected a boolean`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "Range": {"ContinuousParameterRangeSpecification": {}}}]}`, `spec.json:1:75: hyperparameter "lr": Range has "ContinuousParameterRangeSpecification", expected IntegerParameterRangeSpecification for the Type Integer`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": {"MinValue": "a"}}}]}`, `spec.json:1:126: hyperparameter "lr": MinValue is "a", expected a whole number`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": {"MinValue": "9", "MaxValue": "10"}}}]}`, ``},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": {"MinValue": "9007199254740993", "MaxValue": "9007199254740992"}}, "DefaultValue": "1"}]}`, `spec.json:1:113: hyperparameter "lr": MinValue 9007199254740993 is above MaxValue 9007199254740992`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": {"Min": "1", "Maxvalue": "2"}}}]}`, `spec.json:1:114: hyperparameter "lr": IntegerParameterRangeSpecification has "Min", expected MinValue, MaxValue for the Type Integer
spec.json:1:126: hyperparameter "lr": IntegerParameterRangeSpecification has "Maxvalue", expected MinValue, MaxValue for the Type Integer`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Categorical", "Range": {"CategoricalParameterRangeSpecification": {"Value": ["a"]}}}]}`, `spec.json:1:122: hyperparameter "lr": CategoricalParameterRangeSpecification has "Value", expected Values for the Type Categorical`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "FreeText", "Range": {"IntegerParameterRangeSpecification": {}}}]}`, `spec.json:1:75: hyperparameter "lr": the Type FreeText takes no Range`},
		{`{"SupportedHyperParameters": [{"Name": "lr", "Type": "Int", "Range": {"IntegerParameterRangeSpecification": {}}, "DefaultValue": "x"}]}`, `spec.json:1:54: hyperparameter "lr": Type is "Int", expected Integer, Continuous, Categorical, FreeText`},
		{`{"TrainingChannels": [{"IsRequired": true}]}`, `spec.json:1:23: an entry of TrainingChannels has no Name`},
		{`{"TrainingChannels": [{"Name": ""}]}`, `spec.json:1:32: an entry of TrainingChannels: Name is empty`},
		{`{"TrainingChannels": [{"Name": "t", "SupportedInputModes": ["Stream"]}]}`, `spec.json:1:61: channel "t": an input mode is "Stream", expected File, FastFile, Pipe`},
		{`{"TrainingChannels": [{"Name": "t", "SupportedInputModes": ["pipe"]}]}`, `warning: spec.json:1:61: channel "t": an input mode is "pipe", expected it spelled "Pipe"`},
		{`{"TrainingChannels": [{"Name": "t", "SupportedCompressionTypes": ["Zip"]}]}`, `spec.json:1:67: channel "t": a compression type is "Zip", expected None, Gzip`},
		{`{"TrainingChannels": [{"Name": "t"}, {"Name": "t"}]}`, `spec.json:1:38: channel "t" appears more than once`},
		{`{"TrainingSpecification": {"SupportedTrainingInstanceTypes": "x"}}`, `spec.json:1:62: SupportedTrainingInstanceTypes is "x", expected a list`},
		{`{"TrainingSpecification": 1}`, `spec.json:1:27: TrainingSpecification is 1, expected an object`},
		{`{}`, `spec.json:1:1: found no key of a TrainingSpecification, expected one of SupportedHyperParameters, TrainingChannels, SupportedTrainingInstanceTypes, SupportsDistributedTraining`},
		{`null`, `spec.json:1:1: found no key of a TrainingSpecification, expected one of SupportedHyperParameters, TrainingChannels, SupportedTrainingInstanceTypes, SupportsDistributedTraining`},
		{`{"TrainingSpecification": {"x": 1}}`, `spec.json:1:27: found no key of a TrainingSpecification, expected one of SupportedHyperParameters, TrainingChannels, SupportedTrainingInstanceTypes, SupportsDistributedTraining`},
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
	if _, problems := contract.Load(snap); len(problems) != 1 || problems[0].String() != "spec.json: is missing, expected a readable file\nhint: entrain spec writes one" {
		t.Error(problems)
	}
}

// TestNoSpec: of a document that would check nothing it is said where the specification may be in it.
func TestNoSpec(t *testing.T) {
	for text, want := range map[string]string{
		`{"AlgorithmName": "x", "trainingSpecification": {"TrainingChannels": []}}`: `hint: it is in "trainingSpecification": call that TrainingSpecification, or leave it out`,
		`{"supportedHyperParameters": []}`:                                          `hint: did you mean "SupportedHyperParameters"?`,
		`{"trainingSpecification": {}}`:                                             `hint: did you mean "TrainingSpecification"?`,
		`{"x": {}}`:                                                                 `SupportsDistributedTraining`,
	} {
		job, problems := contract.Load(withSpec(minimal(), text))
		if job != nil || len(problems) != 1 || !strings.HasSuffix(problems[0].String(), want) {
			t.Errorf("%s: %v, want one that ends with %s", text, problems, want)
		}
	}
}

// TestSpecOfNone: an empty list is an algorithm that takes none.
func TestSpecOfNone(t *testing.T) {
	_, problems := contract.Load(withSpec(good(), `{"SupportedHyperParameters": [], "TrainingChannels": [], "SupportedTrainingInstanceTypes": []}`))
	want := []string{
		`hyperparameters.json:1:2: hyperparameter "lr" is not one of the algorithm's: the algorithm takes none`,
		`inputdataconfig.json:1:2: channel "train" is not one of the algorithm's: the algorithm takes none`,
	}
	if diff := cmp.Diff(want, printed(problems)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSpecCascade: a specification's own mistake is not held against the job too.
func TestSpecCascade(t *testing.T) {
	for _, text := range []string{
		`{"SupportedHyperParameters": [{"Name": "lr"}]}`, `{"SupportedHyperParameters": [{"Name": "lr", "Type": 1}]}`,
		`{"SupportedHyperParameters": {}}`, `{"SupportedHyperParameters": ["lr"]}`, `{"SupportedHyperParameters": [{"Type": "FreeText"}]}`,
		`{"TrainingChannels": {}}`, `{"TrainingChannels": ["train"]}`, `{"TrainingChannels": [{}]}`,
	} {
		if _, problems := contract.Load(withSpec(good(), text)); len(problems) != 1 {
			t.Errorf("%s: %v, want one", text, problems)
		}
	}
}

// TestSpecDefaults: a default is as good as a value that was given: in flags, variables and SM_HPS.
func TestSpecDefaults(t *testing.T) {
	snap := withSpec(good(), spec)
	job := load(t, snap)
	args, err := hparams.Args(hparams.StyleToolkit, job.Params, false)
	if diff := cmp.Diff([]string{"--epochs", "10", "--lr", "0.05", "--note", ""}, words(args)); err != nil || diff != "" {
		t.Errorf("%v, flags (-want +got):\n%s", err, diff)
	}
	env := envOf(job, snap, contract.EnvToolkit)
	if env["SM_HPS"] != `{"epochs":10,"lr":0.05,"note":""}` || env["SM_HP_EPOCHS"] != "10" {
		t.Errorf("SM_HPS=%s SM_HP_EPOCHS=%s", env["SM_HPS"], env["SM_HP_EPOCHS"])
	}
	if p := contract.ParamProblem(job, snap, "note", "", "is odd"); p.String() != `hyperparameters.json: hyperparameter "note": is odd` {
		t.Error(p)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"epochs", "batch-size", "lr", "learning_rate"}
	for name, want := range map[string]string{
		"epoch": "epochs", "epcohs": "epochs", "batch_size": "batch-size", "rl": "lr", "learningrate": "learning_rate", "LR": "lr", "seed": "", "": "", "étoile": "",
	} {
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got := contract.Nearest(name, names); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// FuzzSpec: any specification gives a job or problems, and a job that loads has an environment.
func FuzzSpec(f *testing.F) {
	f.Add(spec, `{"lr":"0.05"}`)
	f.Add(`{"TrainingSpecification":{"SupportedHyperParameters":[{"Name":"a","Type":"Continuous","DefaultValue":"1e999"}]}}`, `{}`)
	f.Fuzz(func(t *testing.T, text, hp string) {
		files := good()
		files["hyperparameters.json"] = hp
		snap := withSpec(files, text)
		job, problems := contract.Load(snap)
		if (job == nil) != (len(contract.Errors(problems)) > 0) {
			t.Fatalf("job %v with problems %v", job != nil, problems)
		}
		if job != nil {
			contract.Env(job, snap, contract.EnvToolkit, nil)
			files["resourceconfig.json"] = `{"current_host":"a","hosts":["a"]}`
			again := withSpec(files, hparams.JSON(contract.SpecOf(job), hparams.PlainJSON()))
			if job, problems := contract.Load(again); job == nil {
				t.Fatalf("its own specification: %v", problems)
			}
		}
	})
}
