package mpi

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// launch is a job on three hosts, whose ranks are not in the order of the names.
func launch(family Family) Launch {
	return Launch{
		Launcher: Launcher{Family: family}, Program: "mpirun",
		Hosts:     []Host{{"algo-10", 2}, {"algo-2", 1}, {"algo-1", 4}},
		Interface: "eth0", Agent: "/run/entrain/rsh", Hostfile: "/run/entrain/hostfile",
		Options: []string{"-x", "A=b c", "--NCCL_DEBUG", "WARN"},
		Rank:    []string{"/usr/local/bin/entrain", "rank", "/run/entrain/rank", "--"},
		Trainer: []string{"./train", "--lr", "0.1"},
	}
}

func TestArgvHasTheFlagsOfItsFamily(t *testing.T) {
	for family, flags := range map[Family]string{
		FamilyOpenMPI4: "--hostfile|/run/entrain/hostfile|-x|A=b c|-x|NCCL_DEBUG=WARN|",
		FamilyOpenMPI5: "--hostfile|/run/entrain/hostfile|-x|A=b c|-x|NCCL_DEBUG=WARN|",
		FamilyMPICH:    "-f|/run/entrain/hostfile|-x|A=b c|-genv|NCCL_DEBUG|WARN|",
		FamilyIntel:    "-f|/run/entrain/hostfile|-genvnone|-x|A=b c|-genv|NCCL_DEBUG|WARN|",
	} {
		want := "mpirun|-np|7|" + flags + "/usr/local/bin/entrain|rank|/run/entrain/rank|--|./train|--lr|0.1"
		if diff := cmp.Diff(strings.Split(want, "|"), launch(family).Argv()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", family, diff)
		}
	}
}

// TestArgvLeavesOutWhatTheUserGives: launchers fail at an option, or a hostfile, that they get twice.
func TestArgvLeavesOutWhatTheUserGives(t *testing.T) {
	open, hydra := []Family{FamilyOpenMPI4, FamilyOpenMPI5}, []Family{FamilyMPICH, FamilyIntel}
	all := slices.Concat(open, hydra)
	for words, c := range map[string]struct {
		families []Family
		gone     string // the flags of entrain that Argv must leave out
	}{
		"-hostfile mine":             {all, "--hostfile -f"},
		"--machinefile mine":         {all, "--hostfile -f"},
		"--hostfile=mine":            {all, "--hostfile -f"},
		"-host algo-1":               {all, "--hostfile -f"},
		"--host algo-1:2,algo-2":     {all, "--hostfile -f"},
		"-f mine":                    {hydra, "-f"},
		"-hosts algo-1,algo-2":       {hydra, "-f"},
		"-hosts=algo-1":              {hydra, "-f"},
		"--hosts algo-1":             {hydra, "-f"},
		"-hostlist algo-1":           {hydra, "-f"},
		"-machine algo-1":            {hydra, "-f"},
		"-H algo-1:2":                {open, "--hostfile"},
		"--default-hostfile mine":    {open, "--hostfile"},
		"-n 1":                       {all, "-np"},
		"-np 1":                      {all, "-np"},
		"-np=1 -ppn 1":               {hydra, "-np"},
		"-c 1":                       {open, "-np"},
		"-genvall":                   {[]Family{FamilyIntel}, "-genvnone"},
		"-genvlist A,B":              {[]Family{FamilyIntel}, "-genvnone"},
		"--tag-output":               {open, ""},  // entrain gives no such option itself
		"-ppn 2":                     {hydra, ""}, // names no host
		"-hostsx mine":               {all, ""},
		"--bind-to core":             {all, ""},
		"-x --NCCL_DEBUG":            {all, ""}, // without a value: the launcher reports the error
		"--verbose":                  {all, ""},
		"-x HOST=algo-1 -genv N f=1": {all, ""},
	} {
		for _, family := range c.families {
			l := launch(family)
			l.Options, l.Processes = nil, 3
			var want []string
			for i := 1; i < len(l.wordsBeforeUser()); i++ {
				flag := l.wordsBeforeUser()[i]
				if !slices.Contains(strings.Fields(c.gone), flag) {
					want = append(want, flag)
				} else if i+1 < len(l.wordsBeforeUser()) && !strings.HasPrefix(l.wordsBeforeUser()[i+1], "-") {
					i++ // its value
				}
			}
			l.Options = strings.Fields(words)
			if diff := cmp.Diff(want, l.wordsBeforeUser()[1:]); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", family, words, diff)
			}
		}
	}
}

// wordsBeforeUser are the words of Argv before the user's options.
func (l Launch) wordsBeforeUser() []string {
	argv := l.Argv()
	return argv[:len(argv)-len(l.options())-len(l.Rank)-len(l.Trainer)]
}

func TestArgvNamesTheLeaderToHydraWithoutAnInterface(t *testing.T) {
	l := launch(FamilyMPICH)
	l.Interface = ""
	if !strings.Contains(strings.Join(l.Argv(), " "), " -localhost algo-10 ") {
		t.Errorf("%q: the proxies cannot find the leader", l.Argv())
	}
	l.Options = []string{"-localhost", "me"}
	if words := strings.Join(l.Argv(), " "); strings.Count(words, "-localhost") != 1 {
		t.Errorf("%q: want -localhost once", words)
	}
}

func TestHostfilesAreThoseThatEnvNames(t *testing.T) {
	const openMPI, hydra = "algo-10 slots=2\nalgo-2 slots=1\nalgo-1 slots=4\n", "algo-10:2\nalgo-2:1\nalgo-1:4\n"
	for family, want := range map[Family][]File{
		FamilyOpenMPI4: {{"/run/entrain/hostfile", openMPI}, {"/run/entrain/hostfile.mpich", hydra}},
		FamilyOpenMPI5: {{"/run/entrain/hostfile", openMPI}, {"/run/entrain/hostfile.mpich", hydra}},
		FamilyMPICH:    {{"/run/entrain/hostfile.openmpi", openMPI}, {"/run/entrain/hostfile", hydra}},
		FamilyIntel:    {{"/run/entrain/hostfile.openmpi", openMPI}, {"/run/entrain/hostfile", hydra}},
	} {
		l := launch(family)
		got, err := l.Hostfiles()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", family, diff)
		}
		own, err := l.HostfileText()
		if err != nil || !slices.Contains(got, File{"/run/entrain/hostfile", own}) {
			t.Errorf("%s: %q, %v is not in %q", family, own, err, got)
		}
		for _, file := range got {
			variable := "HYDRA_HOST_FILE="
			if file.Text == openMPI {
				variable = "OMPI_MCA_orte_default_hostfile="
			}
			if !slices.Contains(l.Env(), variable+file.Path) {
				t.Errorf("%s: no %s%s in %q", family, variable, file.Path, l.Env())
			}
		}
	}
	if _, err := (Launch{}).Hostfiles(); err == nil {
		t.Error("no hosts, no error")
	}
}

func TestEnvServesEveryFamily(t *testing.T) {
	want := strings.Fields(`
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_plm_rsh_agent=/run/entrain/rsh PRTE_MCA_plm_ssh_agent=/run/entrain/rsh
OMPI_MCA_orte_default_hostfile=/run/entrain/hostfile PRTE_MCA_prte_default_hostfile=/run/entrain/hostfile
OMPI_MCA_routed_radix=64 PRTE_MCA_rml_base_radix=64
OMPI_MCA_plm_rsh_num_concurrent=128 PRTE_MCA_plm_ssh_num_concurrent=128
OMPI_MCA_hwloc_base_binding_policy=none PRTE_MCA_hwloc_default_binding_policy=none
OMPI_MCA_rmaps_base_mapping_policy=slot PRTE_MCA_rmaps_default_mapping_policy=slot
PRTE_MCA_prte_do_not_resolve=0 OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_smsc=^cma
OMPI_MCA_btl=^uct,openib,ofi
OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0 PRTE_MCA_prte_if_include=eth0
HYDRA_LAUNCHER=ssh HYDRA_LAUNCHER_EXEC=/run/entrain/rsh
HYDRA_HOST_FILE=/run/entrain/hostfile.mpich HYDRA_ENV=none
I_MPI_HYDRA_BOOTSTRAP=ssh I_MPI_HYDRA_BOOTSTRAP_EXEC=/run/entrain/rsh
I_MPI_HYDRA_HOST_FILE=/run/entrain/hostfile.mpich
I_MPI_HYDRA_BRANCH_COUNT=64 HYDRA_IFACE=eth0 I_MPI_HYDRA_IFACE=eth0
FI_TCP_IFACE=eth0 UCX_NET_DEVICES=eth0`)
	l := launch(FamilyOpenMPI4)
	if diff := cmp.Diff(want, l.Env()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l.Interface = "" // no variable may name an empty interface
	for _, v := range l.Env() {
		if strings.HasSuffix(v, "=") {
			t.Errorf("%s is empty", v)
		}
	}
	l.EFA, l.Interface = true, "eth0"
	if env := l.Env(); env[len(env)-1] != "FI_TCP_IFACE=eth0" || !slices.Contains(env, "OMPI_MCA_btl=^openib") {
		t.Errorf("with EFA: %q, want btl=^openib, and no UCX_NET_DEVICES at the end", env)
	}
}

// TestEnvKeepsNamesWithDots, and sets nothing for other names.
func TestEnvKeepsNamesWithDots(t *testing.T) {
	const keep4, keep5 = "OMPI_MCA_orte_keep_fqdn_hostnames=1", "PRTE_MCA_prte_keep_fqdn_hostnames=1"
	for name, want := range map[string]bool{"algo-1": false, "algo-1.cluster.local": true} {
		l := launch(FamilyOpenMPI4)
		l.Hosts = []Host{{name, 1}}
		if got := slices.Contains(l.Env(), keep4) && slices.Contains(l.Env(), keep5); got != want {
			t.Errorf("%s: keeps %v, want %v", name, got, want)
		}
	}
}

// TestEnvContradictsNoOption: Open MPI wants an interface to be included, or others to be excluded.
func TestEnvContradictsNoOption(t *testing.T) {
	const btl, oob = "OMPI_MCA_btl_tcp_if_include=eth0", "OMPI_MCA_oob_tcp_if_include=eth0"
	for options, want := range map[string][]bool{
		"":                               {true, true},
		"--mca btl_tcp_if_exclude lo":    {false, true},
		"-gmca oob_tcp_if_exclude lo -v": {true, false},
		"--omca btl_tcp_if_exclude lo":   {false, true},
		"-x btl_tcp_if_exclude -mca":     {true, true},
	} {
		l := launch(FamilyOpenMPI4)
		l.Options = strings.Fields(options)
		if got := []bool{slices.Contains(l.Env(), btl), slices.Contains(l.Env(), oob)}; !slices.Equal(got, want) {
			t.Errorf("%q: includes %v, want %v", options, got, want)
		}
	}
}

// TestLauncherEnvLeavesTheTransportsToTheRanks: a value of the user's stays.
func TestLauncherEnvLeavesTheTransportsToTheRanks(t *testing.T) {
	l := launch(FamilyOpenMPI4)
	env := append(l.Env(), "OMPI_MCA_btl=tcp")
	got := l.LauncherEnv(env)
	if len(got) != len(env)-4 || !slices.Contains(got, "OMPI_MCA_btl=tcp") {
		t.Errorf("got %q", got)
	}
	l.Launcher.Family = FamilyMPICH
	if got := l.LauncherEnv(env); !slices.Equal(got, env) {
		t.Errorf("MPICH: got %q", got)
	}
}

// TestEnvHasRoomForAllHosts: with less room than there are hosts, a launch hangs.
func TestEnvHasRoomForAllHosts(t *testing.T) {
	l := launch(FamilyOpenMPI4)
	l.Hosts = make([]Host, 200)
	for _, name := range []string{
		"OMPI_MCA_routed_radix", "PRTE_MCA_rml_base_radix",
		"OMPI_MCA_plm_rsh_num_concurrent", "PRTE_MCA_plm_ssh_num_concurrent",
		"I_MPI_HYDRA_BRANCH_COUNT",
	} {
		if !slices.Contains(l.Env(), name+"=200") {
			t.Errorf("no %s=200 in %q", name, l.Env())
		}
	}
}

func TestEnvNamesFindsTheVariablesOfOptions(t *testing.T) {
	for words, want := range map[string]string{
		"":                                     "",
		"-x A=b -x B --mca btl tcp -x A":       "A B",
		"-genv A 1 --genv B=2 -env C x":        "A B C",
		"-genvlist A,B,,C -envlist D":          "A B C D",
		"--NCCL_DEBUG=INFO -x LD_LIBRARY_PATH": "NCCL_DEBUG LD_LIBRARY_PATH",
		"--NCCL_DEBUG WARN -x SM_*":            "NCCL_DEBUG SM_*",
		"--NCCL_DEBUG":                         "",
		"-v -x":                                "",
		"x A genv B":                           "",
	} {
		if got := strings.Join(EnvNames(strings.Fields(words)), " "); got != want {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}
