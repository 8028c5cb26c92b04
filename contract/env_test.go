package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

func load(t *testing.T, snap *contract.Snapshot) *contract.Job {
	t.Helper()
	job, problems := contract.Load(snap)
	if job == nil {
		t.Fatal(problems)
	}
	return job
}

func envOf(job *contract.Job, snap *contract.Snapshot, style contract.EnvStyle) map[string]string {
	env := map[string]string{}
	for _, v := range contract.Env(job, snap, style, nil) {
		env[v.Name] = v.Value
	}
	return env
}

// TestDistribution: who trains together, who leads, and which rank each host has, as the toolkit decides and as
// reference/toolkit-cases.md observed it.
func TestDistribution(t *testing.T) {
	const groups = `,"instance_groups":[{"instance_group_name":"cpu","hosts":["algo-2"]},{"instance_group_name":"gpu","hosts":["algo-3","algo-1"]}],"current_group_name":"cpu"`
	for _, c := range []struct {
		what, hp, groups string
		order            []string
	}{
		{"no distribution", `{}`, groups, []string{"algo-1", "algo-2", "algo-3"}},
		{"the groups named", `{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"gpu\"]"}`, groups, []string{"algo-3", "algo-1", "algo-2"}},
		{"the own group", `{"sagemaker_mpi_enabled":"true"}`, groups, []string{"algo-2", "algo-1", "algo-3"}},
		{"switched off", `{"sagemaker_mpi_enabled":"false","sagemaker_pytorch_ddp_enabled":"0"}`, groups, []string{"algo-1", "algo-2", "algo-3"}},
		{"no groups", `{"sagemaker_torch_distributed_enabled":"true"}`, ``, []string{"algo-1", "algo-2", "algo-3"}},
		{"groups named that are not there", `{"sagemaker_distribution_instance_groups":"[\"x\"]"}`, groups, []string{"algo-1", "algo-2", "algo-3"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			snap := snapshot(with("hyperparameters.json", c.hp))
			snap.Files["resourceconfig.json"] = contract.File{Data: []byte(`{"current_host":"algo-2","hosts":["algo-1","algo-2","algo-3"]` + c.groups + `}`)}
			job := load(t, snap)
			if diff := cmp.Diff(c.order, job.Order()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			env := envOf(job, snap, contract.EnvToolkit)
			if env["SM_MASTER_ADDR"] != c.order[0] || env["SM_CURRENT_HOST_RANK"] != string(rune('0'+slices.Index(c.order, "algo-2"))) {
				t.Errorf("leader %s, rank %s", env["SM_MASTER_ADDR"], env["SM_CURRENT_HOST_RANK"])
			}
		})
	}
}

// TestListOrder: ranks follow the list, algo-10 before algo-2, not the numbers and not the alphabet.
func TestListOrder(t *testing.T) {
	snap := snapshot(with("resourceconfig.json", `{"current_host":"algo-2","hosts":["algo-9","algo-10","algo-2"]}`))
	if rank := load(t, snap).Rank("algo-2"); rank != 2 {
		t.Errorf("rank %d, want 2", rank)
	}
}

// TestExtras: beside the toolkit's variables stand those that only the drivers have, and names a shell can read.
func TestExtras(t *testing.T) {
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
		t.Error("PYTHONPATH is the image's business")
	}
	for name := range envOf(load(t, snap), snap, contract.EnvNone) {
		t.Errorf("style none sets %s", name)
	}
}

// TestToolkitSources: what the toolkit takes from the environment and the machine instead of the files.
func TestToolkitSources(t *testing.T) {
	snap := snapshot(with("hyperparameters.json", `{"sagemaker_program":"a.py","sagemaker_job_name":"\"j\"","sagemaker_region":"\"eu-west-1\""}`))
	snap.Files["resourceconfig.json"] = contract.File{Data: []byte(`{"current_host":"a","hosts":["a"],"current_instance_type":"ml.trn2.48xlarge"}`)}
	snap.Env = []string{"SAGEMAKER_PROGRAM=b.py", "SAGEMAKER_PROGRAM=c.py", "SAGEMAKER_SUBMIT_DIRECTORY=/x", "SAGEMAKER_CONTAINER_LOG_LEVEL=10", "SAGEMAKER_TRAINING_MODULE=m:f", "SM_HP_MP_PARAMETERS={\"a\":1}"}
	snap.Programs = map[string]bool{"smddprun": true}
	got := envOf(load(t, snap), snap, contract.EnvToolkit)
	for name, want := range map[string]string{
		"SM_MODULE_NAME": "b", "SM_USER_ENTRY_POINT": "b.py", "SM_MODULE_DIR": "/opt/ml/code", "SM_LOG_LEVEL": "20", "SM_FRAMEWORK_MODULE": "m:f",
		"SM_NUM_NEURONS": "64", "SAGEMAKER_JOB_NAME": "j", "SAGEMAKER_REGION": "eu-west-1",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	for _, want := range []string{`"is_smddprun_installed":true`, `"is_modelparallel_enabled":true`, `"job_name":null`} {
		if !strings.Contains(got["SM_TRAINING_ENV"], want) {
			t.Errorf("SM_TRAINING_ENV lacks %s: %s", want, got["SM_TRAINING_ENV"])
		}
	}
}

// TestDriversFiles: the drivers' two files of their own become variables.
func TestDriversFiles(t *testing.T) {
	snap := snapshot(minimal())
	snap.Files["sourcecode.json"] = contract.File{Data: []byte(`{"entry_script":"train.py"}`)}
	snap.Files["distributed.json"] = contract.File{Data: []byte(`{"process_count_per_node":2}`)}
	snap.Env = []string{"SM_LOG_LEVEL=10"}
	got := envOf(load(t, snap), snap, contract.EnvDrivers)
	for name, want := range map[string]string{
		"SM_SOURCE_DIR": "/opt/ml/input/data/code", "SM_ENTRY_SCRIPT": "train.py", "SM_LOG_LEVEL": "10",
		"SM_DISTRIBUTED_DRIVER_DIR": "/opt/ml/input/data/sm_drivers/distributed_drivers", "SM_DISTRIBUTED_CONFIG": `{"process_count_per_node": 2}`,
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
}

func TestIsSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"API_KEY": true, "api-key": true, "apiKey": true, "keys": true, "SM_HP_HF_TOKEN": true, "authToken2": true, "hfTokenFile": true,
		"client_secret": true, "Passwords": true, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": true, "AWS_SECRET_ACCESS_KEY": true,
		"tokenizer": false, "public": false, "keyboard": false, "monkeybars": false, "lr": false, "": false, "KEYPOINTS": false,
	} {
		if got := contract.IsSecret(name); got != want {
			t.Errorf("IsSecret(%q) = %v", name, got)
		}
	}
}

// TestMasked: no rendering of a masked job shows a secret, wherever it stands.
func TestMasked(t *testing.T) {
	snap := snapshot(with("hyperparameters.json", `{"api_key":"hunter2","db":"{\"host\":\"h\",\"nested\":[{\"password\":\"hunter2\"}]}","lr":"1","secret":"null"}`))
	job := load(t, snap)
	for _, style := range contract.EnvStyles() {
		for _, v := range contract.Env(job.Masked(), snap, contract.EnvStyle(style), nil) {
			if strings.Contains(v.Value, "hunter2") {
				t.Errorf("%s: %s=%s", style, v.Name, v.Value)
			}
		}
	}
	if got := envOf(job, snap, contract.EnvToolkit)["SM_HP_API_KEY"]; got != "hunter2" {
		t.Errorf("the job itself has lost its secret: %q", got)
	}
	env := contract.MaskEnv([]string{"TOKEN=hunter2", `CONF={"a":1,"password":"hunter2"}`, "PATH=/bin", "NOEQ", `J={"a":1}`})
	want := []string{"TOKEN=******", `CONF={"a": 1, "password": "******"}`, "PATH=/bin", "NOEQ", `J={"a":1}`}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	words := contract.MaskWords([]string{"x", "--password=hunter2", "--api-key", "hunter2", "token=hunter2", "--key", "--lr", "1", "a b=c"})
	want = []string{"x", "--password=******", "--api-key", "******", "token=******", "--key", "--lr", "1", "a b=c"}
	if diff := cmp.Diff(want, words); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMaskedDeep: no form of a masked hyperparameter shows the secret: as it was written, decoded, in JSON inside JSON.
func TestMaskedDeep(t *testing.T) {
	job := load(t, snapshot(with("hyperparameters.json", `{"password":"hunter2","d":"{\"token\":\"hunter2\"}","q":"\"{\\\"token\\\":\\\"hunter2\\\"}\"","l":"[{\"key\":\"hunter2\"}]"}`)))
	if shown := fmt.Sprint(job.Masked().Params); strings.Contains(shown, "hunter2") {
		t.Error(shown)
	}
	env := contract.MaskEnv([]string{`A=[{"key":"hunter2"}]`, `B="{\"key\":\"hunter2\"}"`, "PRIVATE_KEY=hunter2", "aws_creds=hunter2", "APIKEYID=hunter2", "C=fine"})
	if shown := fmt.Sprint(env); strings.Contains(shown, "hunter2") || !strings.Contains(shown, "C=fine") {
		t.Error(shown)
	}
	words := contract.MaskWords([]string{"--password", "-hunter2", "--token=hunter2", `{"key":"hunter2"}`, "--token", "--lr", "1"})
	if shown := fmt.Sprint(words); strings.Contains(shown, "hunter2") || !strings.HasSuffix(shown, "--lr 1]") {
		t.Error(shown)
	}
}

// TestNeuronDevices: cores of a device that a trainer sees, as AWS documents its accelerators.
func TestNeuronDevices(t *testing.T) {
	for typ, want := range map[string]int{"ml.inf1.xlarge": 4, "ml.inf2.48xlarge": 2, "ml.trn1.32xlarge": 2, "ml.trn1n.32xlarge": 2, "ml.trn2.48xlarge": 4, "ml.trn9.x": 0, "": 0} {
		if got, known := contract.CoresPerNeuronDevice(typ); got != want || known != (want > 0) {
			t.Errorf("%s: %d, %v, want %d", typ, got, known, want)
		}
	}
}

// TestOddities are what both references do with odd but possible files.
func TestOddities(t *testing.T) {
	files := with("hyperparameters.json", `{"sagemaker_submit_directory":"null","sagemaker_distribution_instance_groups":"{\"g\":1}"}`)
	files["inputdataconfig.json"] = `{"train":{},"TRAIN":{}}`
	files["resourceconfig.json"] = `{"current_host":"a","hosts":["a"],"network_interface_name":null,"topology":"t","instance_groups":[{"instance_group_name":"g","hosts":["a"]}]}`
	snap := snapshot(files)
	snap.Env = append(snap.Env, "AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=us-east-1")
	snap.Files[contract.DistributedFile] = contract.File{Data: []byte(`{}`)}
	snap.Files[contract.SourceCodeFile] = contract.File{Data: []byte(`{"x":1}`)}
	job := load(t, snap)
	env := envOf(job, snap, contract.EnvToolkit)
	for name, want := range map[string]string{
		"SAGEMAKER_REGION": "eu-west-1", "SM_MODULE_DIR": "None", "SM_NETWORK_INTERFACE_NAME": "", "SM_TOPOLOGY": "t",
		"SM_DISTRIBUTION_INSTANCE_GROUPS": `{"g":1}`,
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	if diff := cmp.Diff([]string{"a"}, job.DistributionHosts); diff != "" {
		t.Errorf("hosts of the group that is a key (-want +got):\n%s", diff)
	}
	env = envOf(job, snap, contract.EnvDrivers)
	if _, there := env["SM_DISTRIBUTED_CONFIG"]; there || env["SM_ENTRY_SCRIPT"] != "" {
		t.Errorf("SM_DISTRIBUTED_CONFIG of an empty file: %v; SM_ENTRY_SCRIPT: %q", there, env["SM_ENTRY_SCRIPT"])
	}
	if !strings.Contains(env["SM_TRAINING_ENV"], `"train": "/opt/ml/input/data/TRAIN"`) {
		t.Errorf("of train and TRAIN the drivers see one: %s", env["SM_TRAINING_ENV"])
	}
}
