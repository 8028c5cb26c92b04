package hosts

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// optionCase is a set of options for mpirun, and what the ranks of all hosts get of it.
type optionCase struct {
	mpirun, options string
	want            map[string]string // in the environment of each rank
	added           string            // to the leader's rank, beside what each rank gets
}

// optionCases hold a way of each family to set a variable for the ranks. HELD and OTHER are the image's.
func optionCases() []optionCase {
	const ompi, mpich = "mpirun.openmpi", "mpirun.mpich"
	const vader, smsc = "OMPI_MCA_btl_vader_single_copy_mechanism", "OMPI_MCA_smsc"
	const tcp, btl, held = "OMPI_MCA_btl_tcp_if_include", "OMPI_MCA_btl", "HELD"
	all := strings.Join([]string{btl, tcp, vader, smsc}, " ")
	var cases []optionCase
	for _, option := range []string{"-mca", "--mca", "-gmca", "--gmca"} {
		cases = append(cases, optionCase{
			ompi, option + " btl self,vader,tcp " + option + " btl_tcp_if_include lo",
			map[string]string{btl: "self,vader,tcp", tcp: "lo", held: "image"},
			vader + " " + smsc,
		})
	}
	return append(cases, []optionCase{
		{ompi, "", map[string]string{btl: "^uct,openib,ofi", tcp: "eth0", held: "image"}, all},
		{ompi, "--mca btl_tcp_if_exclude lo", map[string]string{
			"OMPI_MCA_btl_tcp_if_exclude": "lo", tcp: "", held: "image",
		}, btl + " " + vader + " " + smsc},
		{ompi, "-x HELD=option -x OTHER", map[string]string{held: "option", "OTHER": "image too"}, all},
		{ompi, "--mca mca_base_env_list HELD=option", map[string]string{held: "option"}, all},
		{ompi, "--tune /tmp/tune.conf", map[string]string{held: "file"}, all},
		{mpich, "", map[string]string{held: "image"}, ""},
		{mpich, "-genv HELD option", map[string]string{held: "option"}, ""},
		{mpich, "-genv HELD=option", map[string]string{held: "option"}, ""},
		{mpich, "-env HELD option", map[string]string{held: "option"}, ""},
		{mpich, "-genvlist HELD,OTHER", map[string]string{held: "image", "OTHER": "image too"}, ""},
		{mpich, "-genvall -genv HELD option", map[string]string{held: "option", "OTHER": "image too"}, ""},
	}...)
}

// TestRanksGetWhatTheOptionsSay: the options' values beat the image's variables, and these beat entrain's
// own. Beside that, entrain rank changes only what docs/mpi.md lists.
func TestRanksGetWhatTheOptionsSay(t *testing.T) {
	for _, c := range optionCases() {
		t.Run(c.mpirun+" "+c.options, func(t *testing.T) {
			t.Parallel()
			needProgram(t, c.mpirun)
			l := newLab(t, 2)
			text, _ := json.Marshal(map[string]string{"sagemaker_mpi_custom_mpi_options": c.options})
			words := append([]string{"HELD=image", "OTHER=image too"}, launchArgs(c.mpirun, "/opt/bin/environ")...)
			for _, h := range l.hosts {
				h.write("ml/input/config/hyperparameters.json", string(text))
				h.write("tmp/tune.conf", "-x HELD=file\n")
				h.run(words...)
			}
			for i, h := range l.hosts {
				if code := h.job.waitForEnd(15 * time.Second); code != 0 {
					t.Fatalf("%s ended with %d", h.name, code)
				}
				c.check(t, h, i)
			}
		})
	}
}

// check compares what the launcher gave the rank of a host with what its trainer got.
func (c *optionCase) check(t *testing.T, h *host, i int) {
	t.Helper()
	got := variables(h.read("ml/output/got"))
	for name, want := range c.want {
		if got[name] != want {
			t.Errorf("%s: %s is %q, expected %q", h.name, name, got[name], want)
		}
	}
	if got["SM_CURRENT_HOST"] != h.name {
		t.Errorf("%s: SM_CURRENT_HOST is %q", h.name, got["SM_CURRENT_HOST"])
	}
	given, want := variables(h.read("ml/output/given")), numbersOfARank
	if i == 0 {
		want += " " + c.added
	}
	wants, names := strings.Fields(want), map[string]bool{}
	for _, env := range []map[string]string{given, got} {
		for name := range env {
			valueA, setA := given[name]
			valueB, setB := got[name]
			carried := strings.Contains(c.options, "-genvall") && isOfHost(name)
			if (setA != setB || valueA != valueB) && !carried {
				names[name] = true
			}
		}
	}
	slices.Sort(wants)
	if changed := slices.Sorted(maps.Keys(names)); !slices.Equal(changed, wants) {
		t.Errorf("%s: entrain rank changes %q, expected %q", h.name, changed, wants)
	}
}

// numbersOfARank are the variables that entrain rank sets for each rank.
const numbersOfARank = `ENTRAIN_LOCAL_RANK ENTRAIN_RANK GROUP_RANK GROUP_WORLD_SIZE LOCAL_RANK
LOCAL_WORLD_SIZE RANK ROLE_RANK ROLE_WORLD_SIZE TORCHELASTIC_ERROR_FILE TORCHELASTIC_MAX_RESTARTS
TORCHELASTIC_RESTART_COUNT WORLD_SIZE`

// isOfHost says whether each host has its own value of a variable.
func isOfHost(name string) bool {
	return strings.HasPrefix(name, "SM_") || slices.Contains([]string{
		"CURRENT_HOST", "NODE_RANK", "JAX_PROCESS_ID",
		"ENTRAIN_NODE_RANK", "ENTRAIN_LEADER", "ENTRAIN_HOSTFILE",
	}, name)
}

// variables reads an environment as the kernel shows it.
func variables(text string) map[string]string {
	env := map[string]string{}
	for kv := range strings.SplitSeq(text, "\x00") {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	return env
}

// environ is a trainer that writes down its environment, and that which the launcher gave to entrain rank.
func environ([]string) int {
	given, err := os.ReadFile("/proc/" + strconv.Itoa(os.Getppid()) + "/environ")
	if err != nil {
		return 9
	}
	got := strings.Join(os.Environ(), "\x00")
	for name, text := range map[string]string{"given": string(given), "got": got} {
		if os.WriteFile("/opt/ml/output/"+name, []byte(text), 0o644) != nil {
			return 9
		}
	}
	<-time.After(300 * time.Millisecond) // see realScenarios
	return 0
}
