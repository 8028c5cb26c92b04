package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

// load returns the job of a machine, and fails the test if there is none.
func load(t *testing.T, snap *contract.Snapshot) *contract.Job {
	t.Helper()
	job, problems := contract.Load(snap)
	if job == nil {
		t.Fatal(problems)
	}
	return job
}

// envOf returns the variables of a job by name.
func envOf(job *contract.Job, snap *contract.Snapshot, style contract.EnvStyle) map[string]string {
	env := map[string]string{}
	for _, v := range contract.Env(job, snap, style, nil) {
		env[v.Name] = v.Value
	}
	return env
}

func TestToolkitStyleAddsVariablesOfTheDriversAndNamesForAShell(t *testing.T) {
	snap := snapshot(map[string]string{
		"hyperparameters.json": `{"batch-size":"1","batch_size":"2","a.b":"3","x=y":"4"}`,
		"inputdataconfig.json": `{"my-data":{}}`, "resourceconfig.json": `{"current_host":"a","hosts":["a","b"]}`,
	})
	snap.Root = "/tree"
	got := envOf(load(t, snap), snap, contract.EnvToolkit)
	for name, want := range map[string]string{
		"SM_HOST_COUNT": "2", "SM_CURRENT_HOST_RANK": "0", "SM_MASTER_ADDR": "a", "SM_MASTER_PORT": "7777",
		"SM_INPUT_DATA_DIR": "/tree/input/data", "SM_OUTPUT_FAILURE": "/tree/output/failure",
		"SM_HP_BATCH-SIZE": "1", "SM_HP_BATCH_SIZE": "2", "SM_HP_A.B": "3", "SM_HP_A_B": "3", "SM_HP_X_Y": "4",
		"SM_CHANNEL_MY-DATA": "/tree/input/data/my-data", "SM_CHANNEL_MY_DATA": "/tree/input/data/my-data",
		"CURRENT_HOST": "a", "SAGEMAKER_REGION": "us-west-2",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	if _, has := got["PYTHONPATH"]; has {
		t.Error("PYTHONPATH is set, but only the image may set it")
	}
	for name := range envOf(load(t, snap), snap, contract.EnvNone) {
		t.Errorf("style none sets %s", name)
	}
}

func TestToolkitStyleReadsTheVariablesAndTheMachineAsTheToolkitDoes(t *testing.T) {
	files := with("hyperparameters.json",
		`{"sagemaker_program":"a.py","sagemaker_job_name":"\"j\"","sagemaker_region":"\"eu-west-1\""}`)
	files["resourceconfig.json"] = `{"current_host":"a","hosts":["a"],` +
		`"current_instance_type":"ml.trn2.48xlarge"}`
	snap := snapshot(files)
	snap.Env = []string{
		"SAGEMAKER_PROGRAM=b.py", "SAGEMAKER_PROGRAM=c.py", "SAGEMAKER_SUBMIT_DIRECTORY=/x",
		"SAGEMAKER_CONTAINER_LOG_LEVEL=10", "SAGEMAKER_TRAINING_MODULE=m:f", "SM_HP_MP_PARAMETERS={\"a\":1}",
	}
	snap.Programs = map[string]bool{"smddprun": true}
	got := envOf(load(t, snap), snap, contract.EnvToolkit)
	for name, want := range map[string]string{
		"SM_MODULE_NAME": "b", "SM_USER_ENTRY_POINT": "b.py", "SM_MODULE_DIR": "/opt/ml/code",
		"SM_LOG_LEVEL": "20", "SM_FRAMEWORK_MODULE": "m:f",
		"SM_NUM_NEURONS": "64", "SAGEMAKER_JOB_NAME": "j", "SAGEMAKER_REGION": "eu-west-1",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	for _, want := range []string{
		`"is_smddprun_installed":true`, `"is_modelparallel_enabled":true`, `"job_name":null`,
	} {
		if !strings.Contains(got["SM_TRAINING_ENV"], want) {
			t.Errorf("SM_TRAINING_ENV lacks %s: %s", want, got["SM_TRAINING_ENV"])
		}
	}
}

func TestFilesOfTheDriversBecomeVariables(t *testing.T) {
	snap := snapshot(minimal())
	snap.Files["sourcecode.json"] = contract.File{Data: []byte(`{"entry_script":"train.py"}`)}
	snap.Files["distributed.json"] = contract.File{Data: []byte(`{"process_count_per_node":2}`)}
	snap.Env = []string{"SM_LOG_LEVEL=10"}
	got := envOf(load(t, snap), snap, contract.EnvDrivers)
	for name, want := range map[string]string{
		"SM_SOURCE_DIR": "/opt/ml/input/data/code", "SM_ENTRY_SCRIPT": "train.py", "SM_LOG_LEVEL": "10",
		"SM_DISTRIBUTED_DRIVER_DIR": "/opt/ml/input/data/sm_drivers/distributed_drivers",
		"SM_DISTRIBUTED_CONFIG":     `{"process_count_per_node": 2}`,
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
}

// AWS documents how many cores each of its accelerators has.
func TestInstanceTypeTellsTheCoresOfANeuronDevice(t *testing.T) {
	for typ, want := range map[string]int{
		"ml.inf1.xlarge": 4, "ml.inf2.48xlarge": 2, "ml.trn1.32xlarge": 2, "ml.trn1n.32xlarge": 2,
		"ml.trn2.48xlarge": 4, "ml.trn9.x": 0, "": 0,
	} {
		if got, known := contract.CoresPerNeuronDevice(typ); got != want || known != (want > 0) {
			t.Errorf("%s: %d, %v, want %d", typ, got, known, want)
		}
	}
}

func TestOddFilesGiveTheVariablesOfTheReferences(t *testing.T) {
	files := with("hyperparameters.json",
		`{"sagemaker_submit_directory":"null","sagemaker_distribution_instance_groups":"{\"g\":1}"}`)
	files["inputdataconfig.json"] = `{"train":{},"TRAIN":{}}`
	files["resourceconfig.json"] = `{"current_host":"a","hosts":["a"],"network_interface_name":null,` +
		`"topology":"t","instance_groups":[{"instance_group_name":"g","hosts":["a"]}]}`
	snap := snapshot(files)
	snap.Env = append(snap.Env, "AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=us-east-1")
	snap.Files[contract.DistributedFile] = contract.File{Data: []byte(`{}`)}
	snap.Files[contract.SourceCodeFile] = contract.File{Data: []byte(`{"x":1}`)}
	job := load(t, snap)
	env := envOf(job, snap, contract.EnvToolkit)
	for name, want := range map[string]string{
		"SAGEMAKER_REGION": "eu-west-1", "SM_MODULE_DIR": "None", "SM_NETWORK_INTERFACE_NAME": "",
		"SM_TOPOLOGY": "t", "SM_DISTRIBUTION_INSTANCE_GROUPS": `{"g":1}`,
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	if diff := cmp.Diff([]string{"a"}, job.DistributionHosts); diff != "" {
		t.Errorf("hosts of a group that is the key of an object (-want +got):\n%s", diff)
	}
	env = envOf(job, snap, contract.EnvDrivers)
	if _, there := env["SM_DISTRIBUTED_CONFIG"]; there || env["SM_ENTRY_SCRIPT"] != "" {
		t.Errorf("SM_DISTRIBUTED_CONFIG of an empty file: %v; SM_ENTRY_SCRIPT: %q", there, env["SM_ENTRY_SCRIPT"])
	}
	if !strings.Contains(env["SM_TRAINING_ENV"], `"train": "/opt/ml/input/data/TRAIN"`) {
		t.Errorf("train has not the directory of TRAIN: %s", env["SM_TRAINING_ENV"])
	}
}

// The toolkit writes the topology of the file unchanged into SM_TRAINING_ENV, and sets SM_TOPOLOGY only for
// one that is not empty.
func TestTopologyIsThatOfTheFile(t *testing.T) {
	for _, c := range []struct{ member, inEnv, variable string }{
		{``, `[]`, "unset"},
		{`,"topology":null`, `null`, "unset"},
		{`,"topology":[]`, `[]`, "unset"},
		{`,"topology":{}`, `{}`, "unset"},
		{`,"topology":0`, `0`, "unset"},
		{`,"topology":0.0`, `0.0`, "unset"},
		{`,"topology":""`, `""`, "unset"},
		{`,"topology":false`, `false`, "unset"},
		{`,"topology":true`, `true`, "true"},
		{`,"topology":[{"b":1,"a":null}]`, `[{"a":null,"b":1}]`, `[{"a":null,"b":1}]`},
	} {
		snap := snapshot(with("resourceconfig.json", `{"current_host":"a","hosts":["a"]`+c.member+`}`))
		env := envOf(load(t, snap), snap, contract.EnvToolkit)
		if want := `"topology":` + c.inEnv + `,`; !strings.Contains(env["SM_TRAINING_ENV"], want) {
			t.Errorf("%q: SM_TRAINING_ENV lacks %s: %s", c.member, want, env["SM_TRAINING_ENV"])
		}
		variable, set := env["SM_TOPOLOGY"]
		if !set {
			variable = "unset"
		}
		if variable != c.variable {
			t.Errorf("%q: SM_TOPOLOGY is %q, want %q", c.member, variable, c.variable)
		}
	}
}

// The toolkit says: region or "".
func TestRegionThatPythonTakesForFalseIsEmpty(t *testing.T) {
	for value, want := range map[string]string{
		`"0"`: "", `"false"`: "", `"[]"`: "", `"{}"`: "", `"null"`: "", `""`: "", `0`: "", `"0.0"`: "", `"-0"`: "",
		`"eu-west-1"`: "eu-west-1", `"\"eu-west-1\""`: "eu-west-1",
	} {
		snap := snapshot(with("hyperparameters.json", `{"sagemaker_region":`+value+`}`))
		if got := envOf(load(t, snap), snap, contract.EnvToolkit)["SAGEMAKER_REGION"]; got != want {
			t.Errorf("%s: SAGEMAKER_REGION is %q, want %q", value, got, want)
		}
	}
}

// Whoever made the image knows what the trainer reads: what only entrain sets gives way to it. What the
// toolkit sets does not.
func TestVariablesOfEntrainGiveWayToThoseOfTheContainer(t *testing.T) {
	snap := snapshot(map[string]string{
		"hyperparameters.json": `{"batch-size":"1","lr":"2"}`,
		"inputdataconfig.json": `{"my-data":{}}`, "resourceconfig.json": `{"current_host":"a","hosts":["a","b"]}`,
	})
	own := []string{
		"SM_HOST_COUNT", "SM_CURRENT_HOST_RANK", "SM_MASTER_ADDR", "SM_MASTER_PORT", "SM_INPUT_DATA_DIR",
		"SM_OUTPUT_FAILURE", "SM_HP_BATCH_SIZE", "SM_CHANNEL_MY_DATA", "ENTRAIN_CHANNEL_MY-DATA_MODE",
		"ENTRAIN_CHANNEL_MY_DATA_MODE",
	}
	job := load(t, snap)
	before := envOf(job, snap, contract.EnvToolkit)
	for _, name := range own {
		if _, set := before[name]; !set {
			t.Errorf("%s is not set", name)
		}
		snap.Env = append(snap.Env, name+"=mine")
	}
	snap.Env = append(snap.Env, "SM_HP_LR=mine", "SM_HP_BATCH-SIZE=mine", "SM_HOSTS=mine", "CURRENT_HOST=mine")
	after := envOf(job, snap, contract.EnvToolkit)
	for _, name := range own {
		if value, set := after[name]; set {
			t.Errorf("%s=%q replaces the container's", name, value)
		}
	}
	for name, want := range map[string]string{
		"SM_HP_LR": "2", "SM_HP_BATCH-SIZE": "1", "SM_HOSTS": `["a","b"]`, "CURRENT_HOST": "a",
	} {
		if after[name] != want {
			t.Errorf("%s=%q, want %q", name, after[name], want)
		}
	}
	if drivers := envOf(job, snap, contract.EnvDrivers); drivers["SM_MASTER_PORT"] != "7777" {
		t.Errorf("the drivers' own SM_MASTER_PORT is %q", drivers["SM_MASTER_PORT"])
	}
}

// A second name never takes the place of a variable that has this name by itself.
func TestSecondNamesGiveWayToNames(t *testing.T) {
	for _, c := range []struct{ hp, name, want string }{
		{`{"a=b":"1","a_b":"2"}`, "SM_HP_A_B", "2"},
		{`{"a_b":"2","a=b":"1"}`, "SM_HP_A_B", "2"},
		{`{"a-b":"1","a_b":"2"}`, "SM_HP_A_B", "2"},
		{`{"a_b":"2","a-b":"1"}`, "SM_HP_A_B", "2"},
		{`{"a\u0000b":"1","a_b":"2"}`, "SM_HP_A_B", "2"},
		{`{"a=b":"1"}`, "SM_HP_A_B", "1"},
		{`{"a.b":"1","a-b":"2"}`, "SM_HP_A_B", "1"},
		{`{"a.b":"1","a=b":"2"}`, "SM_HP_A_B", "2"}, // it has no other name
		{`{"lr":"1","LR":"2"}`, "SM_HP_LR", "2"},
	} {
		snap := snapshot(with("hyperparameters.json", c.hp))
		if got := envOf(load(t, snap), snap, contract.EnvToolkit)[c.name]; got != c.want {
			t.Errorf("%s: %s=%q, want %q", c.hp, c.name, got, c.want)
		}
	}
}

func TestNamesThatShareAVariableAreReported(t *testing.T) {
	for _, c := range []struct {
		what, hp, in string
		style        contract.EnvStyle
		want         []string
	}{
		{"two cases", `{"lr":"1","LR":"2"}`, `{}`, contract.EnvToolkit, []string{
			`warning: hyperparameters.json:1:11: hyperparameters "lr" and "LR" share the variable SM_HP_LR, ` +
				`which holds the value of "LR"`,
		}},
		{"three", `{"a_b":"1","A_B":"2","A_b":"3"}`, `{}`, contract.EnvToolkit, []string{
			`warning: hyperparameters.json:1:22: hyperparameters "a_b" and "A_B" and "A_b" ` +
				`share the variable SM_HP_A_B, which holds the value of "A_b"`,
		}},
		{"an equals sign", `{"a_b":"1","a=b":"2"}`, `{}`, contract.EnvToolkit, []string{
			`warning: hyperparameters.json:1:12: hyperparameters "a_b" and "a=b" share the variable SM_HP_A_B, ` +
				`which holds the value of "a_b"`,
		}},
		{"second names", `{"a.b":"1","a-b":"2"}`, `{}`, contract.EnvToolkit, []string{
			`warning: hyperparameters.json:1:12: hyperparameters "a.b" and "a-b" share the variable SM_HP_A_B, ` +
				`which holds the value of "a.b"`,
		}},
		{"the drivers' names", `{"a-b":"1","a_b":"2"}`, `{}`, contract.EnvDrivers, []string{
			`warning: hyperparameters.json:1:12: hyperparameters "a-b" and "a_b" share the variable SM_HP_A_B, ` +
				`which holds the value of "a_b"`,
		}},
		{"channels", `{}`, `{"train":{},"TRAIN":{}}`, contract.EnvToolkit, []string{
			`warning: inputdataconfig.json:1:13: channels "train" and "TRAIN" share the variable SM_CHANNEL_TRAIN, ` +
				`which holds the value of "TRAIN"`,
		}},
		{"two pairs", `{"lr":"1","b-c":"1","LR":"2","B-C":"2"}`, `{}`, contract.EnvToolkit, []string{
			`warning: hyperparameters.json:1:21: hyperparameters "lr" and "LR" share the variable SM_HP_LR, ` +
				`which holds the value of "LR"`,
			`warning: hyperparameters.json:1:30: hyperparameters "b-c" and "B-C" share the variable SM_HP_B-C, ` +
				`which holds the value of "B-C"`,
		}},
		{"no variables", `{"lr":"1","LR":"2"}`, `{"a":{},"A":{}}`, contract.EnvNone, []string{}},
		{
			"other names", `{"lr":"1","l_r":"2","sagemaker_X":"1","SAGEMAKER_x":"1"}`, `{"a":{},"b":{}}`,
			contract.EnvToolkit,
			[]string{},
		},
	} {
		snap := snapshot(with("hyperparameters.json", c.hp))
		snap.Files["inputdataconfig.json"] = contract.File{Data: []byte(c.in)}
		got := printed(contract.CheckVariables(load(t, snap), snap, c.style))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}
