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

// photographJob makes the Job and the Snapshot for these hyperparameters, hosts and environment.
func photographJob(t *testing.T, hp, resource string, env ...string) *photographed {
	t.Helper()
	snap := &contract.Snapshot{
		Root: "/opt/ml", Dir: "/work", Env: env, Machine: contract.Machine{CPUs: 4},
		Files: map[string]contract.File{
			contract.HyperparametersFile: {Data: []byte(hp)},
			contract.InputDataFile:       {Data: []byte("{}")},
			contract.ResourceFile:        {Data: []byte(resource)},
		},
		Programs: map[string]bool{"python": true, "python3": true},
	}
	job, problems := contract.Load(snap)
	if job == nil {
		t.Fatal(problems)
	}
	return &photographed{Job: job, Snapshot: snap}
}

// photographed holds a valid job and its Snapshot.
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

func TestTheTrainerGetsTheContainersEnvironmentWithoutTheClusterKey(t *testing.T) {
	in := photographJob(t, `{"lr":"1"}`, alone,
		"B=2", "NOEQ", "A=1", "SM_HP_LR=old", "B=3", "SM_HP_LR=older", "ENTRAIN_CLUSTER_KEY=hush", "=x")
	plan, err := in.Plan(options("a"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"B=2", "NOEQ", "A=1", "B=3", "=x"}, plan.Command.Env[:5]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := strings.Join(plan.Command.Env, "\n")
	if strings.Count(all, "SM_HP_LR=") != 1 || !strings.Contains(all, "SM_HP_LR=1") {
		t.Errorf("environment:\n%s", all)
	}
	if strings.Contains(all, "hush") {
		t.Errorf("the cluster key is in the environment:\n%s", all)
	}
}

func TestEveryHostWaitsForAllHosts(t *testing.T) {
	const two = `{"current_host":"%s","hosts":["algo-1","algo-2"]}`
	for host, role := range map[string]Role{"algo-1": Leader, "algo-2": Worker} {
		plan, err := photographJob(t, "{}", fmt.Sprintf(two, host)).Plan(options("a"))
		if err != nil || plan.Role != role {
			t.Errorf("%s is %v, want %s (%v)", host, plan, role, err)
			continue
		}
		if diff := cmp.Diff([]string{"algo-1", "algo-2"}, plan.Wait.Hosts); diff != "" {
			t.Errorf("wait (-want +got):\n%s", diff)
		}
	}
	plan, err := photographJob(t, "{}", alone).Plan(options("a"))
	if err != nil || plan.Role != Leader || len(plan.Wait.Hosts) != 0 {
		t.Errorf("a host alone: %+v, %v", plan, err)
	}
}

// The platform sends SIGKILL 120 s after SIGTERM, and entrain reports within these seconds too.
func TestTheDefaultGraceLeavesTimeForTheReport(t *testing.T) {
	if grace := Defaults().End.Grace; grace >= 120*time.Second || grace < 100*time.Second {
		t.Error(grace)
	}
}

func TestAMaskedPlanShowsNoSecret(t *testing.T) {
	in := photographJob(t, `{"api_key":"hunter2","lr":"1","db":"{\"password\":\"hunter2\"}"}`, alone,
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

func TestTheSlotsComeFromTheUserThenTheJobThenTheAccelerators(t *testing.T) {
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
		{`{"sagemaker_mpi_num_of_processes_per_host":"4096"}`, 0, 8, "a slots=4096\nb slots=4096\n"},
		{
			`{"sagemaker_mpi_num_of_processes_per_host":"4097"}`, 0, 0,
			`hyperparameters.json: hyperparameter "sagemaker_mpi_num_of_processes_per_host" is "4097", ` +
				"expected a whole number from 1 to 4096: no machine has processors for more ranks",
		},
		{
			`{"sagemaker_mpi_num_of_processes_per_host":"99999999999999999999"}`, 0, 0,
			`hyperparameters.json: hyperparameter "sagemaker_mpi_num_of_processes_per_host" is ` +
				`"99999999999999999999", ` +
				"expected a whole number from 1 to 4096: no machine has processors for more ranks",
		},
		{
			`{"sagemaker_mpi_num_of_processes_per_host":"0"}`, 0, 0,
			`hyperparameters.json: hyperparameter "sagemaker_mpi_num_of_processes_per_host" is "0", ` +
				"expected a whole number of at least 1",
		},
	} {
		in := photographJob(t, c.hp, two)
		in.Job.Machine.GPUs = c.gpus
		together, err := TogetherOf(in.Job, c.slots)
		got := ""
		if err == nil {
			got, err = mpi.Hostfile("openmpi", together.Hosts)
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.hp, got, c.want)
		}
	}
}
