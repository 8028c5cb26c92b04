package plan

import (
	"slices"
	"strings"
	"testing"
)

const twoHosts = `{"current_host":"algo-2","hosts":["algo-1","algo-2"]}`

func TestTheRanksOfAHostAreCountedAfterThoseOfTheHostsBeforeIt(t *testing.T) {
	in := photographJob(t, `{"lr":"1"}`, twoHosts, "OMP_NUM_THREADS=7", "RANK=9")
	o := options("train", "${ENTRAIN_RANK}")
	o.Launcher, o.Slots = LauncherRanks, 2
	p, err := in.Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	met, err := p.Meet(map[string]int{"algo-1": 3, "algo-2": 2})
	if err != nil {
		t.Fatal(err)
	}
	command, err := met.RankCommand(met.Together.Place(1), p.Launch.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"train", "4", "--lr", "1"}; !slices.Equal(command.Argv, want) {
		t.Errorf("argv %q, expected %q", command.Argv, want)
	}
	for _, want := range []string{
		"RANK=4", "LOCAL_RANK=1", "WORLD_SIZE=5", "LOCAL_WORLD_SIZE=2", "GROUP_RANK=1", "GROUP_WORLD_SIZE=2",
		"ROLE_RANK=4", "ROLE_WORLD_SIZE=5", "ENTRAIN_RANK=4", "ENTRAIN_LOCAL_RANK=1", "JAX_PROCESS_ID=4",
		"JAX_NUM_PROCESSES=5", "JAX_LOCAL_DEVICE_IDS=1", "OMP_NUM_THREADS=7", "MASTER_ADDR=algo-1",
		"TORCHELASTIC_ERROR_FILE=" + p.Launch.Dir + "/error-4.json",
	} {
		name, _, _ := strings.Cut(want, "=")
		same := slices.DeleteFunc(slices.Clone(command.Env), func(kv string) bool {
			return !strings.HasPrefix(kv, name+"=")
		})
		if !slices.Equal(same, []string{want}) {
			t.Errorf("the environment has %q, expected %s alone", same, want)
		}
	}
}

func TestAHostOutsideOfTheGroupRunsTheCommandOnce(t *testing.T) {
	const groups = `{"current_host":"algo-3","hosts":["algo-1","algo-2","algo-3"],"instance_groups":[
{"instance_group_name":"a","instance_type":"ml.m5.large","hosts":["algo-1","algo-2"]},
{"instance_group_name":"b","instance_type":"ml.m5.large","hosts":["algo-3"]}],
"current_group_name":"b","current_instance_type":"ml.m5.large"}`
	in := photographJob(t, `{"sagemaker_distribution_instance_groups":"[\"a\"]"}`, groups)
	o := options("train")
	o.Launcher, o.Slots = LauncherRanks, 2
	p, err := in.Plan(o)
	if err != nil || p.Launch != nil || IsSet(p.Command.Env, "RANK") {
		t.Errorf("%v: the launch is %+v, expected none", err, p.Launch)
	}
}

func TestACommandThatStartsRanksItselfIsNoRank(t *testing.T) {
	for line, want := range map[string]string{
		"torchrun train.py":                                       "torchrun",
		"/opt/conda/bin/torchrun train.py":                        "torchrun",
		"accelerate launch train.py":                              "accelerate",
		"deepspeed train.py":                                      "deepspeed",
		"composer train.py":                                       "composer",
		"mpirun -np 2 a":                                          "mpirun",
		"mpiexec.hydra a":                                         "mpiexec.hydra",
		"mpirun.openmpi a":                                        "mpirun.openmpi",
		"horovodrun a":                                            "horovodrun",
		"env A=b -u C timeout -k 5 60 torchrun train":             "torchrun",
		"python3 -m torch.distributed.run train.py":               "python3 -m torch.distributed.run",
		"python3.11 -u -W ignore -m accelerate.commands.launch a": "python3.11 -m accelerate.commands.launch",
		"python -um torch.distributed.launch a":                   "python -m torch.distributed.launch",
		"bash -c 'cd /opt && exec torchrun train.py'":             "torchrun",
		"python3 -u -W ignore /usr/bin/torchrun train.py":         "python3 /usr/bin/torchrun",
		"orterun -np 2 hostname":                                  "orterun",
		"python3 -m horovod.runner x":                             "python3 -m horovod.runner",
		"python3 -c pass torchrun":                                "",
		"python3 -m pdb torchrun":                                 "",
		"accelerate config":                                       "",
		"python3 train.py":                                        "",
		"python3 train.py -m torch.distributed.run":               "",
		"python3 -m train --with torchrun":                        "",
		"python3 -c 'import torchrun'":                            "",
		"sh -c 'echo torchrun is not needed; python3 a'":          "",
		"./train torchrun":                                        "",
	} {
		words, err := parseCommand(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := starterOf(words); got != want {
			t.Errorf("%s: %q, expected %q", line, got, want)
		}
	}
}
