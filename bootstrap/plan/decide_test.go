package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// world is a job as it could be photographed: hyperparameters, hosts and environment.
func world(t *testing.T, hp, resource string, env ...string) *photographed {
	t.Helper()
	snap := &contract.Snapshot{
		Root: "/opt/ml", Dir: "/work", Env: env, Machine: contract.Machine{CPUs: 4},
		Files: map[string]contract.File{
			contract.HyperparametersFile: {Data: []byte(hp)}, contract.InputDataFile: {Data: []byte("{}")}, contract.ResourceFile: {Data: []byte(resource)},
		},
		Programs: map[string]bool{"python": true, "python3": true},
	}
	job, problems := contract.Load(snap)
	if job == nil {
		t.Fatal(problems)
	}
	return &photographed{Job: job, Snapshot: snap}
}

// photographed is a valid contract.
type photographed struct {
	Job      *contract.Job
	Snapshot *contract.Snapshot
}

func (p *photographed) Plan(o Options) (*Plan, error) { return Decide(p.Job, p.Snapshot, o) }

func isUsage(err error) bool { _, usage := errors.AsType[*UsageError](err); return usage }

func isInvalid(err error) bool {
	_, invalid := errors.AsType[*contract.InvalidError](err)
	return invalid
}

const alone = `{"current_host":"algo-1","hosts":["algo-1"]}`

func options(command ...string) Options {
	o := Defaults()
	o.Command = command
	return o
}

// TestCommand: where the trainer's words come from, and what becomes of the platform's word "train".
func TestCommand(t *testing.T) {
	const platform, container = contract.CallerPlatform, contract.CallerContainer
	for _, c := range []struct {
		what string
		hp   string
		env  []string
		from contract.Caller
		has  string // a program in PATH
		keep bool
		args []string
		argv []string
		dir  string
		err  string
		hint string // with which the error ends
	}{
		{what: "after --", hp: `{"lr":"1"}`, env: []string{"ENTRAIN_COMMAND=x"}, args: []string{"a", "b c"}, argv: []string{"a", "b c", "--lr", "1"}, dir: "/work"},
		{what: "train is dropped on the platform", from: platform, args: []string{"a", "train"}, argv: []string{"a"}, dir: "/work"},
		{what: "and in a container on a laptop", from: container, args: []string{"a", "train"}, argv: []string{"a"}, dir: "/work"},
		{what: "and kept on request", from: platform, keep: true, args: []string{"a", "train"}, argv: []string{"a", "train"}, dir: "/work"},
		{what: "and kept elsewhere", args: []string{"a", "train"}, argv: []string{"a", "train"}, dir: "/work"},
		{what: "only the last one", from: platform, args: []string{"train", "train"}, argv: []string{"train"}, dir: "/work"},
		{what: "train alone leaves the variable", from: platform, env: []string{"ENTRAIN_COMMAND=x y"}, args: []string{"train"}, argv: []string{"x", "y"}, dir: "/work"},
		{what: "and the script", from: container, hp: `{"sagemaker_program":"t"}`, args: []string{"train"}, argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code"},
		{what: "and the program train", from: container, has: "train", args: []string{"train"}, argv: []string{"train"}, dir: "/work"},
		{what: "which comes last", has: "train", hp: `{"sagemaker_program":"t"}`, argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code"},
		{what: "which needs no word", has: "train", hp: `{"lr":"1"}`, argv: []string{"train", "--lr", "1"}, dir: "/work"},
		{what: "train alone is no command", from: platform, args: []string{"train"}, err: `no command: the only word was "train", which SageMaker appends to an ENTRYPOINT in place of the image's CMD` + "\nhint: "},
		{what: "variable as JSON", env: []string{`ENTRAIN_COMMAND=["a","b c"]`}, argv: []string{"a", "b c"}, dir: "/work"},
		{what: "variable that is wrong", env: []string{`ENTRAIN_COMMAND=a | b`}, err: `ENTRAIN_COMMAND="a | b": '|' outside quotes: no shell reads this; quote it, or start a shell with sh -c '…'`},
		{what: "variable that is empty", env: []string{`ENTRAIN_COMMAND=`}, err: `ENTRAIN_COMMAND="": it is empty, expected a JSON array or words quoted as in a shell`},
		{what: "script by hyperparameter", hp: `{"sagemaker_program":"\"t.py\"","lr":"1"}`, argv: []string{"python3", "/opt/ml/code/t.py", "--lr", "1"}, dir: "/opt/ml/code"},
		{what: "script by variable", hp: `{"sagemaker_program":"t.py","sagemaker_submit_directory":"/src"}`, env: []string{"SAGEMAKER_PROGRAM=run.sh"}, argv: []string{"/src/run.sh"}, dir: "/src"},
		{what: "code on S3 is not fetched", hp: `{"sagemaker_program":"t","sagemaker_submit_directory":"s3://b/x"}`, argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code"},
		{what: "nothing", err: "no command: expected one after --, in ENTRAIN_COMMAND or SAGEMAKER_PROGRAM, or a program \"train\" in PATH\nhint: ENTRYPOINT"},
		{what: "a variable that is misspelt", from: platform, env: []string{"SAGEMAKER_REGION=x", "SAGEMAKER_PROGAM=t.py"}, args: []string{"train"}, err: `no command: the only word was "train"`, hint: "\nhint: SAGEMAKER_PROGAM is set; did you mean SAGEMAKER_PROGRAM?"},
		{what: "other variables", env: []string{"SAGEMAKER_REGION=x", "SAGEMAKER_PROGRAM="}, err: "no command: ", hint: `"/opt/train.py"]`},
		{what: "expansion", hp: `{"lr":"0.1"}`, args: []string{"a", "${SM_HP_LR} $$ ${HOME} $${SM_HP_LR} $$$${"}, argv: []string{"a", "0.1 $$ ${HOME} ${SM_HP_LR} $$${", "--lr", "0.1"}, dir: "/work"},
		{what: "program text stays", hp: `{"lr":"0.1"}`, args: []string{"sh", "-c", "echo ${SM_HP_LR} $$", "${SM_HP_LR}"}, argv: []string{"sh", "-c", "echo ${SM_HP_LR} $$", "0.1", "--lr", "0.1"}, dir: "/work"},
		{what: "expansion of the unknown", args: []string{"a", "${SM_NOPE}"}, err: `the command's word "${SM_NOPE}": ${SM_NOPE} names no variable of this job`},
		{what: "empty program", args: []string{""}, err: "the command's first word is empty, expected a program"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if c.hp == "" {
				c.hp = "{}"
			}
			o := options(c.args...)
			o.KeepTrain = c.keep
			in := world(t, c.hp, alone, c.env...)
			in.Snapshot.Caller, in.Snapshot.Programs[c.has] = c.from, true
			plan, err := in.Plan(o)
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) || !strings.HasSuffix(err.Error(), c.hint) || !isUsage(err) {
					t.Errorf("got  %v\nwant %s … %s", err, c.err, c.hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.argv, plan.Command.Argv); diff != "" || plan.Command.Dir != c.dir {
				t.Errorf("dir %s, want %s; argv (-want +got):\n%s", plan.Command.Dir, c.dir, diff)
			}
			if said := len(plan.Notes) > 0; said != (c.from == container) {
				t.Errorf("notes: %v", plan.Notes) // the platform's own word is nothing to be told of
			}
		})
	}
}

// TestEnvironment: the container's environment passes as it is, ours lies over it, and the cluster's key stays out.
func TestEnvironment(t *testing.T) {
	plan, err := world(t, `{"lr":"1"}`, alone, "B=2", "NOEQ", "A=1", "SM_HP_LR=old", "B=3", "SM_HP_LR=older", "ENTRAIN_CLUSTER_KEY=hush", "=x").Plan(options("a"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"B=2", "NOEQ", "A=1", "B=3", "=x"}, plan.Command.Env[:5]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := strings.Join(plan.Command.Env, "\n")
	if strings.Count(all, "SM_HP_LR=") != 1 || !strings.Contains(all, "SM_HP_LR=1") || strings.Contains(all, "hush") {
		t.Errorf("environment:\n%s", all)
	}
}

func TestRolesAndWaiting(t *testing.T) {
	const two = `{"current_host":"%s","hosts":["algo-1","algo-2"]}`
	for host, role := range map[string]Role{"algo-1": Leader, "algo-2": Worker} {
		plan, err := world(t, "{}", fmt.Sprintf(two, host)).Plan(options("a"))
		if err != nil || plan.Role != role {
			t.Errorf("%s is %v, want %s (%v)", host, plan, role, err)
			continue
		}
		if diff := cmp.Diff([]string{"algo-1", "algo-2"}, plan.Wait.Hosts); diff != "" {
			t.Errorf("wait (-want +got):\n%s", diff)
		}
	}
	plan, err := world(t, "{}", alone).Plan(options("a"))
	if err != nil || plan.Role != Leader || len(plan.Wait.Hosts) != 0 {
		t.Errorf("a host alone: %+v, %v", plan, err)
	}
}

// TestLimits: what the kernel would refuse is an error that names the hyperparameter, not E2BIG.
func TestLimits(t *testing.T) {
	big := strings.Repeat("x", maxWord)
	for _, c := range []struct {
		what, hp string
		argMax   int
		want     string
	}{
		{"the longest word", `{"v":"` + big[:maxWord-len("SM_HP_V=")] + `","sagemaker_x":"1"}`, 0, `hyperparameter "v": it makes the variable SM_HPS 131078 bytes long`},
		{"too long a word", `{"a":"1","v":"` + big + `x"}`, 0, `hyperparameters.json:1:14: hyperparameter "v": its flag is 131072 bytes long, the kernel takes at most 131071`},
		{"too long together", `{"a":"` + strings.Repeat("y", 3000) + `","b":"` + strings.Repeat("z", 3000) + `x"}`, 10000, `hyperparameter "b": arguments and environment have `},
		{"NUL", `{"v":"a\u0000b"}`, 0, `hyperparameters.json:1:6: hyperparameter "v": its flag would hold a NUL character, which no program can be given`},
		{"NUL in what is none's", `{"sagemaker_job_name":"a\u0000b"}`, 0, `the trainer's start: the variable SAGEMAKER_JOB_NAME would hold a NUL character`},
		{"surrogate", `{"v":"\"\\udc80\""}`, 0, `hyperparameter "v": its flag would hold half of a surrogate pair, which is no text`},
	} {
		t.Run(c.what, func(t *testing.T) {
			in := world(t, c.hp, alone)
			in.Snapshot.ArgMax = c.argMax
			_, err := in.Plan(options("a"))
			if err == nil || !strings.Contains(err.Error(), c.want) || !isInvalid(err) {
				t.Errorf("got  %.300v\nwant %s", err, c.want)
			}
			if strings.Count(fmt.Sprint(err), "hyperparameters.json:") > 1 {
				t.Errorf("one hyperparameter, more than one line: %.300v", err)
			}
		})
	}
	in := world(t, `{"a":"xx","b":"yy"}`, alone, "E=1")
	plan, err := in.Plan(options("a"))
	if err != nil {
		t.Fatal(err)
	}
	total := len("a") + 1 // the kernel counts the path, every word with its end, and a pointer to each
	for _, word := range append(plan.Command.Argv, plan.Command.Env...) {
		total += len(word) + 1 + 8
	}
	in.Snapshot.ArgMax = total
	if _, err := in.Plan(options("a")); err != nil {
		t.Errorf("%d bytes, as many as there may be: %v", total, err)
	}
	in.Snapshot.ArgMax--
	if _, err := in.Plan(options("a")); err == nil || !strings.Contains(err.Error(), `hyperparameter "a"`) {
		t.Errorf("one byte more than there may be, the first of two equal ones is named: %v", err)
	}
	if _, err := world(t, `{"v":"`+strings.Repeat("x", 40000)+`"}`, alone).Plan(options("a")); err != nil {
		t.Errorf("a value of 40,000 bytes can be passed: %v", err)
	}
}

// TestExpandedLimits: what expansion makes of a word has limits too.
func TestExpandedLimits(t *testing.T) {
	in := world(t, `{"data":"`+strings.Repeat("x", 70000)+`","a":"1"}`, alone, `ENTRAIN_COMMAND=["a","b\u0000"]`)
	for want, o := range map[string]Options{
		`hyperparameter "data": it makes word 2 of the command 140000 bytes long`: options("true", "${SM_HP_DATA}${SM_HP_DATA}"),
		`word 2 of the command would hold a NUL character`:                        options(),
	} {
		if _, err := in.Plan(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %.300v\nwant %s", err, want)
		}
	}
}

// TestDefaults: a trainer's grace fits into the platform's 120 s between SIGTERM and SIGKILL, with time left to report.
func TestDefaults(t *testing.T) {
	if grace := Defaults().End.Grace; grace >= 120*time.Second || grace < 100*time.Second {
		t.Error(grace)
	}
}

// TestMask: a plan to look at shows no secret, wherever it came from.
func TestMask(t *testing.T) {
	in := world(t, `{"api_key":"hunter2","lr":"1","db":"{\"password\":\"hunter2\"}"}`, alone,
		"MY_TOKEN=hunter2", "ENTRAIN_COMMAND=a --password hunter2", `CONF={"secret":"hunter2"}`)
	for _, o := range []Options{options("a", "--password=hunter2", "${SM_HP_API_KEY}"), options()} {
		for _, style := range hparams.Styles() {
			o.ArgsStyle, o.Mask, o.HPFile = hparams.Style(style), true, "/hp"
			plan, err := in.Plan(o)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(plan.Files[0].Data) + fmt.Sprint(plan.Command); strings.Contains(text, "hunter2") {
				t.Errorf("%s: %s", style, text)
			}
		}
	}
	plan, err := in.Plan(options())
	if err != nil || !strings.Contains(fmt.Sprint(plan.Command), "hunter2") {
		t.Errorf("the real plan lost its secrets: %v, %v", plan, err)
	}
}

func TestHosts(t *testing.T) {
	const two = `{"current_host":"b","hosts":["a","b"]}`
	for _, c := range []struct {
		hp    string
		slots int
		gpus  int
		want  string
	}{
		{`{}`, 0, 0, "a slots=1\nb slots=1\n"},
		{`{}`, 0, 8, "a slots=8\nb slots=8\n"},
		{`{"sagemaker_mpi_num_of_processes_per_host":"4"}`, 0, 8, "a slots=4\nb slots=4\n"},
		{`{"sagemaker_mpi_num_of_processes_per_host":"x"}`, 2, 8, "a slots=2\nb slots=2\n"},
		{`{"sagemaker_mpi_num_of_processes_per_host":"0"}`, 0, 0, `hyperparameters.json: hyperparameter "sagemaker_mpi_num_of_processes_per_host" is "0", expected a whole number of at least 1`},
	} {
		in := world(t, c.hp, two)
		in.Job.Machine.GPUs = c.gpus
		hosts, err := Hosts(in.Job, c.slots)
		got := ""
		if err == nil {
			got, err = mpi.Hostfile("openmpi", hosts)
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.hp, got, c.want)
		}
	}
}
