package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
)

func TestWhatCreateAlgorithmWouldRefuseIsAWarning(t *testing.T) {
	const start = `{"TrainingImage":"i","SupportedTrainingInstanceTypes":[],"TrainingChannels":[`
	const channel = `{"Name":"c","SupportedContentTypes":[],"SupportedInputModes":["File"]}`
	list := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	param := func(rest string) string {
		return start + channel + `],"SupportedHyperParameters":[{"Name":"p",` + rest + `}]}`
	}
	for _, c := range []struct {
		what, text string
		want       []string
	}{
		{"nothing", start + channel + `]}`, nil},
		{"nothing, as a request", `{"TrainingSpecification":` + start + channel + `]}}`, nil},
		{"all that is required", `{"SupportedHyperParameters":[]}`, []string{
			"spec.json:1:1: TrainingImage is missing", "spec.json:1:1: SupportedTrainingInstanceTypes is missing",
			"spec.json:1:1: TrainingChannels is missing",
		}},
		{"no channel", start + `]}`, []string{"spec.json:1:77: TrainingChannels names no channel"}},
		{"9 channels", start + list(9, channel) + `]}`, []string{"spec.json:1:77: 9 channels, expected at most 8"}},
		{"8 channels", start + list(8, channel) + `]}`, nil},
		{"a bare channel", start + `{"Name":"c"}]}`, []string{
			`spec.json:1:78: channel "c": SupportedContentTypes is missing`,
			`spec.json:1:78: channel "c": SupportedInputModes names no mode`,
		}},
		{
			"required, with a default", param(`"IsRequired":true,"DefaultValue":"1"`),
			[]string{`spec.json:1:223: hyperparameter "p" is required and has a DefaultValue`},
		},
		{"not required, with a default", param(`"IsRequired":false,"DefaultValue":"1"`), nil},
		{"required, without a default", param(`"IsRequired":true,"DefaultValue":null`), nil},
		{
			"101 hyperparameters",
			start + channel + `],"SupportedHyperParameters":[` + list(101, `{"Name":"p"}`) + `]}`,
			[]string{"spec.json:1:177: 101 hyperparameters, expected at most 100"},
		},
		{
			"half a range", param(`"Range":{"IntegerParameterRangeSpecification":{"MinValue":"1"}}`),
			[]string{`spec.json:1:199: hyperparameter "p": its Range has no MaxValue`},
		},
		{
			"31 values",
			param(`"Range":{"CategoricalParameterRangeSpecification":{"Values":[` + list(31, `"v"`) + `]}}`),
			[]string{`spec.json:1:199: hyperparameter "p": its Range has 31 Values, expected 1 to 30`},
		},
		{"no JSON", `{`, nil},
		{"no specification", `{"a":1}`, nil},
	} {
		var got []string
		for _, p := range contract.CheckAlgorithm(withSpec(good(), c.text)) {
			text, refused := strings.CutSuffix(p.String(), ": CreateAlgorithm would refuse it")
			if !p.Warning || !refused {
				t.Errorf("%s: %+v", c.what, p)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
	if problems := contract.CheckAlgorithm(snapshot(good())); problems != nil {
		t.Errorf("without a specification: %v", problems)
	}
}

// xgboost is a specification as the generator of SageMaker's XGBoost writes it, with 53 hyperparameters: the
// kinds of its Ranges, its infinite bounds, and the Ranges of its own for lists and tuples.
func xgboost() string {
	const entry = `{"Name": %q, "Description": %q, "Type": %q, "IsTunable": false, "IsRequired": %t, ` +
		`"Range": {%s}}`
	params := []string{
		fmt.Sprintf(entry, "num_round", "num_round", "Integer", true,
			`"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "2147483647"}`),
		fmt.Sprintf(entry, "gamma", "gamma", "Continuous", false,
			`"ContinuousParameterRangeSpecification": {"MinValue": "0", "MaxValue": "1.7976931348623157e+308"}`),
		fmt.Sprintf(entry, "tree_method", "tree_method", "Categorical", false,
			`"CategoricalParameterRangeSpecification": {"Values": ["auto", "exact", "hist"]}`),
		fmt.Sprintf(entry, "interaction_constraints", "interaction_constraints", "FreeText", false,
			`"NestedParameterRangeSpecification": {"MinValue": "1", "MaxValue": "2147483647"}`),
		fmt.Sprintf(entry, "monotone_constraints", "monotone_constraints", "FreeText", false,
			`"TupleParameterRangeSpecification": {"Values": [-1, 0, 1]}`),
		`{"Name": "updater", "Description": "x", "Type": "FreeText", "IsTunable": false, "IsRequired": false}`,
		fmt.Sprintf(entry, "_kfold", "_kfold", "Integer", false,
			`"IntegerParameterRangeSpecification": {"MinValue": "2", "MaxValue": "2147483647"}`),
	}
	for i := len(params); i < 53; i++ {
		params = append(params, fmt.Sprintf(`{"Name": "parameter_%d", "Type": "FreeText"}`, i))
	}
	return `{"TrainingSpecification": {"TrainingImage": "image", "TrainingChannels": [` +
		`{"Name": "train", "Description": "train", "IsRequired": true, ` +
		`"SupportedContentTypes": ["text/csv", "text/libsvm"], "SupportedInputModes": ["Pipe", "File"]}, ` +
		`{"Name": "code", "Description": "code", "IsRequired": false, ` +
		`"SupportedContentTypes": ["text/python"], "SupportedInputModes": ["File"]}], ` +
		`"SupportedHyperParameters": [` + strings.Join(params, ", ") + `], "SupportedTrainingInstanceTypes": [], ` +
		`"SupportsDistributedTraining": true, "MetricDefinitions": [{"Name": "validation:auc", "Regex": "x"}], ` +
		`"SupportedTuningJobObjectiveMetrics": [{"MetricName": "validation:auc", "Type": "Maximize"}]}, ` +
		`"InferenceSpecification": {"Containers": [{"Image": "image"}]}}`
}

func TestSpecificationOfXGBoostsGeneratorIsRead(t *testing.T) {
	files := good()
	files["hyperparameters.json"] = `{"num_round":"100","gamma":"0.5","tree_method":"hist","_kfold":"5",` +
		`"interaction_constraints":"[[1, 2], [3]]","monotone_constraints":"(1,-1)","updater":"prune,refresh"}`
	job, problems := contract.Load(withSpec(files, xgboost()))
	want := []string{
		`hyperparameter "interaction_constraints": the Type FreeText takes no Range`,
		`hyperparameter "monotone_constraints": the Type FreeText takes no Range`,
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Message)
	}
	if diff := cmp.Diff(want, got); diff != "" || job == nil {
		t.Errorf("job %v (-want +got):\n%s", job != nil, diff)
	}
}

// The failure file has room for 1,024 characters.
func TestStrangersAmongManyNamesLeaveRoomForOtherProblems(t *testing.T) {
	files := good()
	files["hyperparameters.json"] = `{"num_rounds":"100","frobnicate":"1","tree_method":"fast"}`
	_, problems := contract.Load(withSpec(files, xgboost()))
	text := (&contract.InvalidError{Problems: problems}).Error()
	for _, want := range []string{
		`hyperparameter "num_rounds" is not one of the algorithm's 53`, `did you mean "num_round"?`,
		`hyperparameter "frobnicate" is not one of the algorithm's 53`, "hint: the specification lists them",
		`hyperparameter "tree_method" is "fast"`, `hyperparameter "num_round" is missing`,
	} {
		if i := strings.Index(text, want); i < 0 || i > 900 {
			t.Errorf("%q is at %d of\n%s", want, i, text)
		}
	}
}

func TestFastFileIsAllowedWhereFileIsAndNeverWritten(t *testing.T) {
	for modes, want := range map[string]int{
		`["File"]`: 0, `["Pipe", "File"]`: 0, `["Pipe"]`: 1, `["FastFile"]`: 0, `["file"]`: 0, `[]`: 0,
	} {
		files := good()
		files["inputdataconfig.json"] = `{"train":{"TrainingInputMode":"FastFile"}}`
		text := `{"TrainingChannels":[{"Name":"train","SupportedInputModes":` + modes + `}]}`
		_, problems := contract.Load(withSpec(files, text))
		if got := contract.Errors(problems); len(got) != want {
			t.Errorf("%s: %v", modes, got)
		}
	}
	files := good()
	files["inputdataconfig.json"] = `{"train":{"TrainingInputMode":"FastFile"}}`
	text := hparams.JSON(contract.SpecOf(load(t, snapshot(files))), hparams.PlainJSON())
	if strings.Contains(text, "FastFile") || !strings.Contains(text, `"SupportedInputModes":["File"]`) {
		t.Error(text)
	}
}
