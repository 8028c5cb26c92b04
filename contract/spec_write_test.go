package contract_test

import (
	"strings"
	"testing"

	"entrain/contract"
	"entrain/hparams"
)

func TestSpecificationOfAJobAllowsThatJobAndHoldsNoSecret(t *testing.T) {
	files := good()
	files["hyperparameters.json"] = `{"a": "1", "b": "1e-5", "c": "true", "d": "\"text\"", "e": "[1]", ` +
		`"f": "null", "g": "99999999999999999999", "my_token": "hunter2", ` +
		`"h": "{\"password\":\"hunter2\"}", "_x": "1", "sagemaker_region": "r"}`
	files["resourceconfig.json"] = `{"current_host": "a", "hosts": ["a", "b"], ` +
		`"current_instance_type": "ml.m5.xlarge"}`
	text := hparams.JSON(contract.SpecOf(load(t, snapshot(files))), hparams.PlainJSON())
	if job, problems := contract.Load(withSpec(files, text)); job == nil || len(problems) > 0 {
		t.Errorf("%v\n%s", problems, text)
	}
	for _, want := range []string{
		`{"Name":"a","Type":"Integer","IsTunable":false,"IsRequired":false,"DefaultValue":"1"}`,
		`"b","Type":"Continuous"`,
		`"c","Type":"Categorical","Range":{"CategoricalParameterRangeSpecification":{"Values":["true","false"]}}`,
		`"DefaultValue":"text"`, `"g","Type":"FreeText"`,
		`{"Name":"my_token","Type":"FreeText","IsTunable":false,"IsRequired":false}`,
		`"SupportedTrainingInstanceTypes":["ml.m5.xlarge"],"SupportsDistributedTraining":true`,
		`{"Name":"train","IsRequired":true,"SupportedContentTypes":["text/csv; charset=utf-8"],` +
			`"SupportedCompressionTypes":["None"],"SupportedInputModes":["Pipe"]}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, unwanted := range []string{"hunter2", `"_x"`, "sagemaker_region"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%s in\n%s", unwanted, text)
		}
	}
}

func TestSpecificationOfAJobWithoutAnInstanceTypeAllowsEveryOne(t *testing.T) {
	files := good()
	files["resourceconfig.json"] = `{"current_host": "a", "hosts": ["a"], "current_instance_type": ""}`
	text := hparams.JSON(contract.SpecOf(load(t, snapshot(files))), hparams.PlainJSON())
	if !strings.Contains(text, `"SupportedTrainingInstanceTypes":[],`) {
		t.Error(text)
	}
}
