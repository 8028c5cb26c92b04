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
	split = `{"current_host":"algo-3","current_instance_type":"ml.p4d.24xlarge","current_group_name":"gpu","hosts":["algo-1","algo-2","algo-3"],"instance_groups":[` +
		`{"instance_group_name":"cpu","instance_type":"ml.m5.large","hosts":["algo-1"]},` +
		`{"instance_group_name":"gpu","instance_type":"ml.p4d.24xlarge","hosts":["algo-3","algo-2"]}]}`
	asked = `{"sagemaker_mpi_enabled":"true","lr":"0.1"}`
	key   = "ENTRAIN_CLUSTER_KEY=" + "abababababababababababababababababababababababababababababababab"
)

// launched is a world with Open MPI 4.1.
func launched(t *testing.T, hp, resource string, env ...string) *photographed {
	t.Helper()
	in := world(t, hp, resource, env...)
	in.Snapshot.Self = "/usr/local/bin/entrain"
	in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: "mpirun (Open MPI) 4.1.4\n"}
	return in
}

// TestLaunchChoice: when MPI starts the trainer, and by whom.
func TestLaunchChoice(t *testing.T) {
	for _, c := range []struct {
		what, hp, resource string
		env                []string
		programs           []string
		change             func(*Options)
		want               string // launcher and agent; empty for none
		err                string
	}{
		{what: "nobody asks", hp: `{}`, resource: alone},
		{what: "the job asks", hp: asked, resource: alone, want: "openmpi-4 4.1.4 by builtin"},
		{what: "the job does not", hp: `{"sagemaker_mpi_enabled":"false"}`, resource: alone},
		{what: "the flag beats the job", hp: asked, resource: alone, change: func(o *Options) { o.Launcher = LauncherNone }},
		{what: "and does without it", hp: `{}`, resource: alone, change: func(o *Options) { o.Launcher = LauncherMPI }, want: "openmpi-4 4.1.4 by builtin"},
		{what: "several hosts with a key", hp: asked, resource: three, env: []string{key}, want: "openmpi-4 4.1.4 by builtin"},
		{what: "a key beats OpenSSH", hp: asked, resource: three, env: []string{key}, programs: []string{"ssh", "sshd"}, want: "openmpi-4 4.1.4 by builtin"},
		{what: "unless it is asked for", hp: asked, resource: three, env: []string{key}, programs: []string{"ssh", "sshd"}, change: func(o *Options) { o.Agent = AgentOpenSSH }, want: "openmpi-4 4.1.4 by openssh"},
		{what: "OpenSSH without a key", hp: asked, resource: three, programs: []string{"ssh", "sshd"}, want: "openmpi-4 4.1.4 by openssh"},
		{what: "neither", hp: asked, resource: three, programs: []string{"ssh"}, err: "MPI cannot reach the other hosts: it needs a cluster key (in the Dockerfile: RUN entrain keygen /etc/entrain/cluster.key), or OpenSSH (in the Dockerfile: RUN apt-get update && apt-get install -y --no-install-recommends openssh-client openssh-server)"},
		{what: "the built-in one without a key", hp: asked, resource: three, programs: []string{"ssh", "sshd"}, change: func(o *Options) { o.Agent = AgentBuiltin }, err: "--agent builtin: the hosts have no key to trust each other by"},
		{what: "OpenSSH without sshd", hp: asked, resource: three, env: []string{key}, programs: []string{"ssh"}, change: func(o *Options) { o.Agent = AgentOpenSSH }, err: "--agent openssh: ssh or sshd is missing"},
		{what: "without a rendezvous", hp: asked, resource: three, env: []string{key}, change: func(o *Options) { o.Rendezvous.On = false }, err: "--rendezvous off: MPI over several hosts cannot do without the rendezvous"},
		{what: "its group alone", hp: `{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"cpu\"]"}`, resource: split, env: []string{key}},
		{what: "mpirun in mpirun", hp: asked, resource: alone, change: func(o *Options) { o.Command = []string{"/opt/bin/mpirun", "x"} }, err: "the command is mpirun, and --launcher mpi would start it by another mpirun\nhint: leave it out, or use --launcher mpi-script"},
	} {
		t.Run(c.what, func(t *testing.T) {
			in := launched(t, c.hp, c.resource, c.env...)
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
			if got := plan.Launch.label(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestLaunchCommand: what is started on the leader, and that nothing is elsewhere.
func TestLaunchCommand(t *testing.T) {
	const hp = `{"sagemaker_mpi_enabled":"true","sagemaker_mpi_num_of_processes_per_host":"2","sagemaker_mpi_num_processes":"3",` +
		`"sagemaker_mpi_custom_mpi_options":"-x 'NCCL_DEBUG=a b' --verbose","price":"1$ ${SM_X}","sep":":"}`
	in := launched(t, hp, split, key, "NCCL_SOCKET_IFNAME=ib0")
	plan, err := in.Plan(options("train", "--host=${SM_CURRENT_HOST}"))
	if err != nil {
		t.Fatal(err)
	}
	dir := plan.Launch.Dir
	want := []string{
		"mpirun", "-np", "3", "--hostfile", dir + "/hostfile", "--tag-output", "-x", "NCCL_DEBUG=a b", "--verbose",
		"/usr/local/bin/entrain", "rank", dir, "--keep", "NCCL_DEBUG", "--",
		"train", "--host=${SM_CURRENT_HOST}", "--price", "1$ $${SM_X}", "--sep", "${ENTRAIN_COLON}",
	}
	if diff := gocmp(want, plan.Command.Argv); diff != "" || plan.Role != Leader {
		t.Errorf("%s: (-want +got)\n%s", plan.Role, diff)
	}
	if text, err := plan.Launch.HostfileText(); text != "algo-3 slots=2\nalgo-2 slots=2\n" || err != nil {
		t.Errorf("hostfile %q, %v", text, err)
	}
	for _, kv := range []string{
		"SM_CURRENT_HOST=algo-3", "MASTER_ADDR=algo-3", "MASTER_PORT=7777", "FI_PROVIDER=efa", "OMPI_MCA_plm_rsh_agent=" + dir + "/entrain-rsh",
		"NCCL_SOCKET_IFNAME=ib0", "ENTRAIN_COLON=:",
	} {
		if !slices.Contains(plan.Command.Env, kv) {
			t.Errorf("%s is not in the environment", kv)
		}
	}
	if slices.Contains(plan.Command.Env, "NCCL_SOCKET_IFNAME=eth0") || slices.Contains(plan.Command.Env, key) {
		t.Error("what the user has set was set again, or the key is in the environment")
	}
	in = launched(t, hp, strings.Replace(split, "algo-3", "algo-2", 1), key)
	worker, err := in.Plan(options("train", "--host=${SM_CURRENT_HOST}"))
	if err != nil || worker.Role != Worker || worker.Command.Argv != nil || worker.Launch.Dir != dir {
		t.Errorf("the worker: %+v, %v", worker, err)
	}
	if worker.Rendezvous.Digests["launcher"] != "openmpi-4 4.1.4 by builtin" || worker.Rendezvous.Digests["command"] != plan.Rendezvous.Digests["command"] {
		t.Errorf("digests %v", worker.Rendezvous.Digests)
	}
}

func gocmp(want, got []string) string { return cmp.Diff(want, got) }

// TestLaunchMistakes: each is said with its place.
func TestLaunchMistakes(t *testing.T) {
	for hp, want := range map[string]string{
		`{"sagemaker_mpi_enabled":"true","sagemaker_mpi_num_processes":"many"}`:                  `hyperparameters.json:1:63: hyperparameter "sagemaker_mpi_num_processes": it is "many", expected a whole number of at least 1`,
		`{"sagemaker_mpi_enabled":"true","sagemaker_mpi_custom_mpi_options":"-x 'A=b"}`:          "a single quote has no end, expected words quoted as in a shell",
		`{"sagemaker_mpi_enabled":"true","sagemaker_mpi_num_of_processes_per_host":"0"}`:         `"sagemaker_mpi_num_of_processes_per_host" is "0", expected a whole number of at least 1`,
		`{"sagemaker_mpi_enabled":"true","sagemaker_mpi_custom_mpi_options":"-x A=b; rm -rf /"}`: "no shell reads this",
	} {
		_, err := launched(t, hp, alone).Plan(options("prog"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", hp, err, want)
		}
	}
	in := launched(t, asked, alone)
	in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Problem: "not found in PATH /bin"}
	if _, err := in.Plan(options("prog")); codeOf(err) != 127 || !strings.Contains(err.Error(), "mpirun: not found in PATH /bin\nhint: in the Dockerfile: RUN apt-get") {
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
