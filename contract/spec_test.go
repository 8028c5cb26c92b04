package contract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
)

const spec = `{
"SupportedHyperParameters": [
 {"Name": "epochs", "Type": "Integer", "DefaultValue": "10",
  "Range": {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "100"}}},
 {"Name": "lr", "Type": "Continuous", "IsRequired": true, "IsTunable": true, "Description": "x",
  "Range": {"ContinuousParameterRangeSpecification": {"MinValue": "0", "MaxValue": "1e-1"}}},
 {"Name": "optimizer", "Type": "Categorical",
  "Range": {"CategoricalParameterRangeSpecification": {"Values": ["sgd", "adam"]}}},
 {"Name": "note", "Type": "FreeText", "DefaultValue": ""},
 {"Name": "amp", "Type": "Categorical",
  "Range": {"CategoricalParameterRangeSpecification": {"Values": ["true", "false"]}}},
 {"Name": "api_key", "Type": "Integer"}],
"TrainingChannels": [
 {"Name": "train", "IsRequired": true, "SupportedContentTypes": ["text/csv"],
  "SupportedCompressionTypes": ["None", "Gzip"], "SupportedInputModes": ["File", "Pipe"]},
 {"Name": "validation", "SupportedContentTypes": [], "SupportedInputModes": ["File"]}],
"SupportedTrainingInstanceTypes": ["ml.m5.xlarge", "ml.g5.xlarge"],
"SupportsDistributedTraining": false, "TrainingImage": "x", "MetricDefinitions": []}`

// withSpec returns a machine with these configuration files and this specification.
func withSpec(files map[string]string, text string) *contract.Snapshot {
	snap := snapshot(files)
	snap.SpecPath, snap.Spec = "spec.json", contract.File{Data: []byte(text)}
	return snap
}

// good returns the files of a job that the specification allows.
func good() map[string]string {
	files := minimal()
	files["hyperparameters.json"] = `{"lr": "0.05"}`
	files["inputdataconfig.json"] = `{"train": {"ContentType": "text/csv; charset=utf-8", ` +
		`"TrainingInputMode": "Pipe"}}`
	return files
}

func TestJobThatTheSpecificationForbidsIsReportedAtItsPlace(t *testing.T) {
	const hp, in, rc = "hyperparameters.json", "inputdataconfig.json", "resourceconfig.json"
	for _, c := range []struct {
		what, file, text string
		want             []string
	}{
		{
			"nothing", hp,
			`{"lr": "0.05", "sagemaker_region": "x", "_tuning_objective_metric": "y", "_kfold": "1"}`,
			nil,
		},
		{
			"encoded by the SDK", hp,
			`{"lr": "\"0.05\"", "epochs": "\"7\"", "optimizer": "\"sgd\"", "amp": "true"}`,
			nil,
		},
		{
			"required", hp, `{}`,
			[]string{`hyperparameters.json:1:1: hyperparameter "lr" is missing, the algorithm requires it`},
		},
		{"unknown", hp, `{"lr": "0", "epoch": "1", "zzz": "1"}`, []string{
			`hyperparameters.json:1:13: hyperparameter "epoch" is not one of the algorithm's: ` +
				`["epochs","lr","optimizer","note","amp","api_key"]` +
				"\nhint: " + `did you mean "epochs"?`,
			`hyperparameters.json:1:27: hyperparameter "zzz" is not one of the algorithm's: ` +
				`["epochs","lr","optimizer","note","amp","api_key"]`,
		}},
		{
			"no whole number", hp, `{"lr": "0", "epochs": "1.5"}`,
			[]string{
				`hyperparameters.json:1:23: hyperparameter "epochs" is "1.5", expected a whole number from 1 to 100`,
			},
		},
		{"too large", hp, `{"lr": "0.2", "epochs": "101"}`, []string{
			`hyperparameters.json:1:8: hyperparameter "lr" is "0.2", expected a number from 0 to 1e-1`,
			`hyperparameters.json:1:25: hyperparameter "epochs" is "101", expected a whole number from 1 to 100`,
		}},
		{"no number", hp, `{"lr": "NaN", "epochs": "0x10"}`, []string{
			`hyperparameters.json:1:8: hyperparameter "lr" is "NaN", expected a number from 0 to 1e-1`,
			`hyperparameters.json:1:25: hyperparameter "epochs" is "0x10", expected a whole number from 1 to 100`,
		}},
		{
			"a list", hp, `{"lr": "[0.05]"}`,
			[]string{`hyperparameters.json:1:8: hyperparameter "lr" is "[0.05]", expected a number from 0 to 1e-1`},
		},
		{
			"no such value", hp,
			`{"lr": "0", "optimizer": "adamw"}`,
			[]string{
				`hyperparameters.json:1:26: hyperparameter "optimizer" is "adamw", expected one of ["sgd","adam"]` +
					"\nhint: " + `did you mean "adam"?`,
			},
		},
		{
			"a secret", hp,
			`{"lr": "0", "api_key": "hunter2"}`,
			[]string{`hyperparameters.json:1:24: hyperparameter "api_key" is ******, expected a whole number`},
		},
		{"channels", in, `{"trian": {}, "validation": {"TrainingInputMode": "Pipe", "ContentType": "anything"}, ` +
			`"code": {}, "sm_drivers": {}}`, []string{
			`inputdataconfig.json:1:1: channel "train" is missing, the algorithm requires it`,
			`inputdataconfig.json:1:2: channel "trian" is not one of the algorithm's: ["train","validation"]` +
				"\nhint: " + `did you mean "train"?`,
			`inputdataconfig.json:1:15: channel "validation" is in Pipe mode, the algorithm takes ["File"]`,
		}},
		{
			"content", in,
			`{"train": {"ContentType": "text/cvs"}}`,
			[]string{
				`inputdataconfig.json:1:2: channel "train" has ContentType "text/cvs", ` +
					`the algorithm takes ["text/csv"]` +
					"\nhint: " + `did you mean "text/csv"?`,
			},
		},
		{"cluster", rc, `{"current_host": "a", "hosts": ["a", "b"], ` +
			`"current_instance_type": "ml.m5.large"}`, []string{
			`resourceconfig.json:1:32: 2 hosts, the algorithm trains on one: SupportsDistributedTraining is false`,
			`resourceconfig.json:1:69: current_instance_type "ml.m5.large", ` +
				`the algorithm takes ["ml.m5.xlarge","ml.g5.xlarge"]` +
				"\nhint: " + `did you mean "ml.m5.xlarge"?`,
		}},
		{"a laptop", rc, `{"current_host": "a", "hosts": ["a"], "current_instance_type": "local_gpu"}`, nil},
		{"beside another problem", hp, `{"lr": "0", "lr": "2"}`, []string{
			`hyperparameters.json:1:13: duplicate key "lr", the last one counts` + "\nhint: " + `remove one of them`,
			`hyperparameters.json:1:19: hyperparameter "lr" is "2", expected a number from 0 to 1e-1`,
		}},
		{
			"a file that is no JSON, without errors for what it lacks",
			hp, `{`,
			[]string{`hyperparameters.json:1:2: found the end of the file where a key in double quotes should be`},
		},
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

func TestDefaultOfASpecificationCountsAsAValueOfTheJob(t *testing.T) {
	snap := withSpec(good(), spec)
	job := load(t, snap)
	args, err := hparams.Args(hparams.StyleToolkit, job.Params, hparams.GNU{})
	want := []string{"--epochs", "10", "--lr", "0.05", "--note", ""}
	if diff := cmp.Diff(want, words(args)); err != nil || diff != "" {
		t.Errorf("%v, flags (-want +got):\n%s", err, diff)
	}
	env := envOf(job, snap, contract.EnvToolkit)
	if env["SM_HPS"] != `{"epochs":10,"lr":0.05,"note":""}` || env["SM_HP_EPOCHS"] != "10" {
		t.Errorf("SM_HPS=%s SM_HP_EPOCHS=%s", env["SM_HPS"], env["SM_HP_EPOCHS"])
	}
	p := contract.ParamProblem(job, snap, "note", "", "is odd")
	if p.String() != `hyperparameters.json: hyperparameter "note": is odd` {
		t.Error(p)
	}
}

// FuzzSpec checks that any specification gives either a job or an error. A job must have an environment,
// and the specification that SpecOf makes of it must allow it.
func FuzzSpec(f *testing.F) {
	f.Add(spec, `{"lr":"0.05"}`)
	f.Add(`{"TrainingSpecification":{"SupportedHyperParameters":`+
		`[{"Name":"a","Type":"Continuous","DefaultValue":"1e999"}]}}`, `{}`)
	f.Add(xgboost(), `{"num_rounds":"1","tree_method":"fast"}`)
	f.Add(`{"TrainingChannels":[{"Name":"train","SupportedInputModes":["FastFile"]}]}`, `{}`)
	f.Fuzz(func(t *testing.T, text, hp string) {
		files := good()
		files["hyperparameters.json"] = hp
		snap := withSpec(files, text)
		job, problems := contract.Load(snap)
		if (job == nil) != (len(contract.Errors(problems)) > 0) {
			t.Fatalf("job %v with problems %v", job != nil, problems)
		}
		if errors := contract.Errors(contract.CheckAlgorithm(snap)); len(errors) > 0 {
			t.Fatalf("not only warnings: %v", errors)
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
