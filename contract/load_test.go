package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

// minimal returns the files of a contract without anything optional.
func minimal() map[string]string {
	return map[string]string{
		"hyperparameters.json": `{}`,
		"inputdataconfig.json": `{}`,
		"resourceconfig.json":  `{"current_host":"algo-1","hosts":["algo-1"]}`,
	}
}

// with returns the minimal contract with another text for one file.
func with(file, text string) map[string]string {
	files := minimal()
	files[file] = text
	return files
}

func TestEveryRealConfigurationFileLoads(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(testdata, "samples", "*.*"))
	if err != nil || len(paths) < 132 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	loaded := 0
	for _, path := range paths {
		parts := strings.SplitN(filepath.Base(path), ".", 2)
		if _, ours := minimal()[parts[1]]; !ours {
			continue // the platform writes other files too, but entrain does not read them
		}
		loaded++
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			job, problems := contract.Load(snapshot(with(parts[1], string(data))))
			if job == nil {
				t.Error(problems)
			}
			for _, p := range problems {
				if strings.Contains(p.Hint, "did you mean") {
					t.Errorf("the platform's own words are taken for mistakes: %s", p)
				}
			}
		})
	}
	if loaded != 123 {
		t.Errorf("%d files of the three kinds, want 123", loaded)
	}
}

func TestFilesOfARealJobSayWhoLeads(t *testing.T) {
	for name, leader := range map[string]string{
		"ssm-spot-2node-sharded-checkpoint": "algo-1",
		"hf-fsdp-2node-p4d-algo2":           "algo-2", // the job's log says: master_hostname algo-2
		"smp-gpt2-sdp-2node-p4d":            "algo-2", // the job's log says the same
		"tf-2025-12-topology-null":          "algo-1",
	} {
		files := minimal()
		for kind := range files {
			data, err := os.ReadFile(filepath.Join(testdata, "samples", name+"."+kind))
			if err != nil {
				t.Fatal(err)
			}
			files[kind] = string(data)
		}
		job, problems := contract.Load(snapshot(files))
		if job == nil {
			t.Errorf("%s: %v", name, problems)
		} else if job.Leader() != leader {
			t.Errorf("%s: the leader is %s, want %s", name, job.Leader(), leader)
		}
	}
}

func TestChannelWithoutReadableDataIsReported(t *testing.T) {
	snap := snapshot(map[string]string{
		"hyperparameters.json": `{}`,
		"resourceconfig.json":  `{"current_host":"a","hosts":["a","b"]}`,
		"inputdataconfig.json": `{"gone":{"TrainingInputMode":"FastFile"},"fifo":{},"file":{},"closed":{},` +
			`"shard":{"S3DistributionType":"ShardedByS3Key"},"none":{},"full":{},` +
			`"pipe":{"TrainingInputMode":"Pipe"}}`,
	})
	snap.Data = map[string]contract.Entry{
		"fifo":   {Kind: contract.KindFIFO},
		"file":   {Kind: contract.KindFile},
		"closed": {Kind: contract.KindDir, Problem: "cannot be read: permission denied"},
		"shard":  {Kind: contract.KindDir, Empty: true},
		"none":   {Kind: contract.KindDir, Empty: true},
		"full":   {Kind: contract.KindDir},
	}
	job, problems := contract.Load(snap)
	if job == nil {
		t.Fatal(problems)
	}
	want := []string{
		`inputdataconfig.json:1:2: channel "gone": ` +
			`/opt/ml/input/data/gone is missing, expected a directory in FastFile mode`,
		`inputdataconfig.json:1:42: channel "fifo": ` +
			`/opt/ml/input/data/fifo is a FIFO, expected a directory in File mode`,
		`inputdataconfig.json:1:52: channel "file": ` +
			`/opt/ml/input/data/file is not a directory, expected one in File mode`,
		`inputdataconfig.json:1:62: channel "closed": /opt/ml/input/data/closed cannot be read: ` +
			`permission denied, expected a readable directory in File mode`,
		`warning: inputdataconfig.json:1:74: channel "shard": /opt/ml/input/data/shard is empty: ` +
			`ShardedByS3Key gave this host no object`,
		`warning: inputdataconfig.json:1:122: channel "none": /opt/ml/input/data/none is empty`,
	}
	if diff := cmp.Diff(want, printed(contract.CheckData(job, snap))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzLoad checks that any three files give either a job or an error, and that every job has an
// environment, a leader and a rank for its host.
func FuzzLoad(f *testing.F) {
	f.Add(`{"lr":"0.1"}`, `{"train":{"TrainingInputMode":"Pipe"}}`,
		`{"current_host":"a","hosts":["a","b"],`+
			`"instance_groups":[{"instance_group_name":"g","hosts":["b","a"]}]}`)
	f.Add(`{"sagemaker_distribution_instance_groups":"[\"g\"]","a":"{"}`, `{}`,
		`{"current_host":"a","hosts":["a"],"topology":[{}]}`)
	f.Add(`{"sagemaker_mpi_enabled":"true","lr":"1","LR":"2","a=b":"3","a_b":"\u0000"}`, `{"t":{},"T":{}}`,
		`{"current_host":"b","hosts":["a","b"],"topology":null,"current_group_name":"h","instance_groups":[`+
			`{"instance_group_name":"g","hosts":["b"]},{"instance_group_name":"h","hosts":["a"]}]}`)
	f.Add("\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", `{"currentHost":"a","Hosts":["a"],"topology":"\ud800"}`)
	f.Add(`{"current_host":"a","hosts":["a"]}`, `{"lr":"1"}`, `{"train":{"TrainingInputMode":"File"}}`)
	f.Add(`{"a":"b, "c":"d"}`, `{"a":{},}`, "{\"a\":\"b\n}")
	f.Fuzz(func(t *testing.T, hp, in, rc string) {
		snap := snapshot(map[string]string{
			"hyperparameters.json": hp, "inputdataconfig.json": in, "resourceconfig.json": rc,
		})
		job, problems := contract.Load(snap)
		if (job == nil) != (len(contract.Errors(problems)) > 0) {
			t.Fatalf("job %v with problems %v", job != nil, problems)
		}
		if job == nil {
			return
		}
		contract.CheckData(job, snap)
		contract.CheckAsks(job, snap, contract.Call{})
		for _, host := range job.Hosts { // each host of the job comes to the same leader
			snap.Files["resourceconfig.json"] = contract.File{Data: []byte(strings.Replace(rc,
				`"current_host":"`+job.Host+`"`, `"current_host":"`+host+`"`, 1))}
			if other, _ := contract.Load(snap); other != nil && other.Leader() != job.Leader() {
				t.Fatalf("the leader of %s is %s, that of %s is %s", host, other.Leader(), job.Host, job.Leader())
			}
		}
		for _, style := range contract.EnvStyles() {
			contract.CheckVariables(job, snap, contract.EnvStyle(style))
			for _, v := range contract.Env(job, snap, contract.EnvStyle(style), nil) {
				if strings.ContainsAny(v.Name, "=\x00") {
					t.Fatalf("variable name %q", v.Name)
				}
			}
		}
		if job.Rank(job.Host) < 0 || job.Rank(job.Leader()) != 0 {
			t.Fatalf("rank %d of %s, leader %s", job.Rank(job.Host), job.Host, job.Leader())
		}
	})
}
