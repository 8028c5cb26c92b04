package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

const (
	three = `{"current_host":"algo-10","hosts":["algo-1","algo-10","algo-2"],"network_interface_name":"eth0"}`
	split = `{"current_host":"algo-3","current_instance_type":"ml.p4d.24xlarge","current_group_name":"gpu",` +
		`"hosts":["algo-1","algo-2","algo-3"],"instance_groups":[` +
		`{"instance_group_name":"cpu","instance_type":"ml.m5.large","hosts":["algo-1"]},` +
		`{"instance_group_name":"gpu","instance_type":"ml.p4d.24xlarge","hosts":["algo-3","algo-2"]}]}`
	asked = `{"sagemaker_mpi_enabled":"true","lr":"0.1"}`
	key   = "ENTRAIN_CLUSTER_KEY=" + "abababababababababababababababababababababababababababababababab"

	byBuiltin = "openmpi-4 4.1.4 by builtin"
	byOpenSSH = "openmpi-4 4.1.4 by openssh"
)

// photographMPI is photographJob for a machine that has Open MPI 4.1.
func photographMPI(t *testing.T, hp, resource string, env ...string) *photographed {
	t.Helper()
	in := photographJob(t, hp, resource, env...)
	in.Snapshot.Self = "/usr/local/bin/entrain"
	in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: "mpirun (Open MPI) 4.1.4\n"}
	return in
}

// launchCase says whether MPI starts the trainer, and by which agent.
type launchCase struct {
	what, hp, resource string
	env                []string
	programs           []string
	change             func(*Options)
	want               string // launcher and agent; empty for none
	err                string
}

func (c *launchCase) test(t *testing.T) {
	t.Helper()
	in := photographMPI(t, c.hp, c.resource, c.env...)
	for _, p := range c.programs {
		in.Snapshot.Programs[p] = true
	}
	o := options("prog")
	if c.change != nil {
		c.change(&o)
	}
	plan, err := in.Plan(o)
	if c.err != "" {
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Fatalf("got error %v, want %q", err, c.err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Launch.summary(); got != c.want {
		t.Errorf("got %q, want %q", got, c.want)
	}
}

func chooseAgent(a Agent) func(*Options) { return func(o *Options) { o.Agent = a } }

func chooseLauncher(name string) func(*Options) { return func(o *Options) { o.Launcher = name } }

func TestMPIStartsTheTrainerIfTheJobOrTheUserAsksForIt(t *testing.T) {
	otherGroup := `{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"cpu\"]"}`
	for _, c := range []launchCase{
		{what: "nobody asks", hp: `{}`, resource: alone},
		{what: "the job asks", hp: asked, resource: alone, want: byBuiltin},
		{what: "the job says no", hp: `{"sagemaker_mpi_enabled":"false"}`, resource: alone},
		{what: "the user says no", hp: asked, resource: alone, change: chooseLauncher(LauncherNone)},
		{what: "the user asks", hp: `{}`, resource: alone, change: chooseLauncher(LauncherMPI), want: byBuiltin},
		{what: "another group trains", hp: otherGroup, resource: split, env: []string{key}},
		{
			what: "without a rendezvous", hp: asked, resource: three, env: []string{key},
			change: func(o *Options) { o.Rendezvous.On = false },
			err:    "--rendezvous off: MPI over several hosts cannot do without the rendezvous",
		},
		{
			what: "by mpirun in mpirun", hp: asked, resource: alone,
			change: func(o *Options) { o.Command = []string{"/opt/bin/mpirun", "x"} },
			err: "the command is mpirun, and --launcher mpi would start it by another mpirun\n" +
				"hint: remove it from the command, or use --launcher mpi-script",
		},
	} {
		t.Run(c.what, c.test)
	}
}

func TestTheAgentIsBuiltInIfThereIsAKey(t *testing.T) {
	keyed, openSSH := []string{key}, []string{"ssh", "sshd"}
	for _, c := range []launchCase{
		{what: "with a key", hp: asked, resource: three, env: keyed, want: byBuiltin},
		{
			what: "with a key and OpenSSH",
			hp:   asked, resource: three, env: keyed, programs: openSSH, want: byBuiltin,
		},
		{
			what: "not if the user chooses OpenSSH",
			hp:   asked, resource: three, env: keyed, programs: openSSH,
			change: chooseAgent(AgentOpenSSH), want: byOpenSSH,
		},
		{what: "not without a key", hp: asked, resource: three, programs: openSSH, want: byOpenSSH},
		{
			what: "without both",
			hp:   asked, resource: three, programs: []string{"ssh"},
			err: "MPI cannot reach the other hosts: " +
				"it needs a cluster key (in the Dockerfile: RUN entrain keygen /etc/entrain/cluster.key), " +
				"or OpenSSH (in the Dockerfile: RUN apt-get update && " +
				"apt-get install -y --no-install-recommends openssh-client openssh-server)",
		},
		{
			what: "chosen without a key",
			hp:   asked, resource: three, programs: openSSH, change: chooseAgent(AgentBuiltin),
			err: "--agent builtin: the hosts have no key to trust each other by",
		},
		{
			what: "OpenSSH chosen without sshd",
			hp:   asked, resource: three, env: keyed, programs: []string{"ssh"},
			change: chooseAgent(AgentOpenSSH),
			err:    "--agent openssh: ssh or sshd is missing",
		},
	} {
		t.Run(c.what, c.test)
	}
}

const tunedMPI = `{"sagemaker_mpi_enabled":"true","sagemaker_mpi_num_of_processes_per_host":"2",` +
	`"sagemaker_mpi_num_processes":"3","sagemaker_mpi_custom_mpi_options":"-x 'NCCL_DEBUG=a b' --verbose",` +
	`"sagemaker_distribution_instance_groups":"[\"gpu\"]","price":"1$ ${SM_X}","sep":":"}`

func TestTheLeaderStartsMpirunWithTheTrainer(t *testing.T) {
	in := photographMPI(t, tunedMPI, split, key, "NCCL_SOCKET_IFNAME=ib0")
	plan, err := in.Plan(options("train", "--host=${SM_CURRENT_HOST}"))
	if err != nil {
		t.Fatal(err)
	}
	dir := plan.Launch.Dir
	want := []string{
		"mpirun", "-np", "3", "--hostfile", dir + "/hostfile",
		"-x", "NCCL_DEBUG=a b", "--verbose",
		"/usr/local/bin/entrain", "rank", dir, "--keep", "NCCL_DEBUG", "--",
		"train", "--host=${SM_CURRENT_HOST}", "--price", "1$ $${SM_X}", "--sep", "${ENTRAIN_COLON}",
	}
	if diff := cmp.Diff(want, plan.Command.Argv); diff != "" || plan.Role != Leader {
		t.Errorf("%s: (-want +got)\n%s", plan.Role, diff)
	}
	if text, err := plan.Launch.HostfileText(); text != "algo-3 slots=2\nalgo-2 slots=2\n" || err != nil {
		t.Errorf("hostfile %q, %v", text, err)
	}
	for _, kv := range []string{
		"SM_CURRENT_HOST=algo-3", "MASTER_ADDR=algo-3", "MASTER_PORT=7777", "FI_PROVIDER=efa",
		"OMPI_MCA_plm_rsh_agent=" + dir + "/entrain-rsh", "NCCL_SOCKET_IFNAME=ib0", "ENTRAIN_COLON=:",
	} {
		if !slices.Contains(plan.Command.Env, kv) {
			t.Errorf("%s is not in the environment", kv)
		}
	}
	env := plan.Command.Env
	if slices.Contains(env, "NCCL_SOCKET_IFNAME=eth0") || slices.Contains(env, key) {
		t.Error("a variable of the user was replaced, or the key is in the environment")
	}
}

func TestAWorkerStartsNothingAndHasTheLeadersDigests(t *testing.T) {
	command := options("train", "--host=${SM_CURRENT_HOST}")
	leader, err := photographMPI(t, tunedMPI, split, key, "NCCL_SOCKET_IFNAME=ib0").Plan(command)
	if err != nil {
		t.Fatal(err)
	}
	in := photographMPI(t, tunedMPI, strings.Replace(split, "algo-3", "algo-2", 1), key)
	worker, err := in.Plan(command)
	if err != nil {
		t.Fatal(err)
	}
	sameDir := worker.Launch.Dir == leader.Launch.Dir
	if worker.Role != Worker || worker.Command.Argv != nil || !sameDir {
		t.Errorf("the worker: %+v", worker)
	}
	digests := worker.Rendezvous.Digests
	if digests["launcher"] != byBuiltin || digests["command"] != leader.Rendezvous.Digests["command"] {
		t.Errorf("digests %v", digests)
	}
}

func TestAMistakeInAHyperparameterForMPIIsReported(t *testing.T) {
	for param, want := range map[string]string{
		`"sagemaker_mpi_num_processes":"many"`: `hyperparameters.json:1:63: ` +
			`hyperparameter "sagemaker_mpi_num_processes": ` +
			`it is "many", expected a whole number of at least 1`,
		`"sagemaker_mpi_custom_mpi_options":"-x 'A=b"`: "a single quote has no end, " +
			"expected words quoted as in a shell",
		`"sagemaker_mpi_num_of_processes_per_host":"0"`: `"sagemaker_mpi_num_of_processes_per_host" is "0", ` +
			"expected a whole number of at least 1",
		`"sagemaker_mpi_custom_mpi_options":"-x A=b; rm -rf /"`: "no shell reads this",
	} {
		hp := `{"sagemaker_mpi_enabled":"true",` + param + `}`
		_, err := photographMPI(t, hp, alone).Plan(options("prog"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", hp, err, want)
		}
	}
}

func TestAMissingOrUnknownMpirunIsReported(t *testing.T) {
	in := photographMPI(t, asked, alone)
	in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Problem: "not found in PATH /bin"}
	const missing = "mpirun: not found in PATH /bin\nhint: in the Dockerfile: RUN apt-get"
	if _, err := in.Plan(options("prog")); codeOf(err) != 127 || !strings.Contains(err.Error(), missing) {
		t.Errorf("no mpirun: %v", err)
	}
	in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: "frobnicate 1.0"}
	if _, err := in.Plan(options("prog")); !isUsage(err) || !strings.Contains(err.Error(), "frobnicate 1.0") {
		t.Errorf("an unknown mpirun: %v", err)
	}
}

func codeOf(err error) int {
	if e, ok := errors.AsType[*LauncherError](err); ok {
		return e.Code
	}
	return 0
}

func TestALauncherThatIsKnownToHangOverHostsIsAWarning(t *testing.T) {
	const mpich402 = "HYDRA build details:\n    Version:                                 4.0.2\n"
	for _, c := range []struct {
		what, resource, version string
		launcher                string
		warns                   bool
	}{
		{"MPICH 4.0.2 over three hosts", three, mpich402, LauncherMPI, true},
		{"on one host", alone, mpich402, LauncherMPI, false},
		{"without a launcher", three, mpich402, LauncherNone, false},
		{"a later MPICH", three, strings.Replace(mpich402, "4.0.2", "4.2.1", 1), LauncherMPI, false},
		{"Open MPI", three, "mpirun (Open MPI) 4.1.4\n", LauncherMPI, false},
	} {
		in := photographMPI(t, "{}", c.resource)
		in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: c.version}
		o := options("prog")
		o.Launcher = c.launcher
		problems := Check(in.Job, in.Snapshot, o)
		if warns := len(problems) == 1 && problems[0].Warning; warns != c.warns {
			t.Errorf("%s: %v", c.what, problems)
		}
	}
}
