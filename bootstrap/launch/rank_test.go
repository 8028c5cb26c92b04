package launch

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/mpi/remote"
)

// TestRankHasEnvironmentOfItsHost: the variables that the launcher carries from the leader do not replace it.
func TestRankHasEnvironmentOfItsHost(t *testing.T) {
	host := []string{
		"PATH=/opt/bin:/bin", "SM_CURRENT_HOST=algo-2", "LD_LIBRARY_PATH=/cuda", "NCCL_DEBUG=WARN",
		"HOROVOD_X=1", "NOEQ",
	}
	launcher := []string{
		"PATH=/usr/lib/mpi/bin:/opt/bin:/bin", "SM_CURRENT_HOST=algo-1", "LD_LIBRARY_PATH=/elsewhere",
		"NCCL_DEBUG=INFO", "HOROVOD_X=2", "HOROVOD_Y=3", "OMPI_COMM_WORLD_RANK=3",
	}
	want := []string{
		"PATH=/usr/lib/mpi/bin:/opt/bin:/bin", "SM_CURRENT_HOST=algo-2", "LD_LIBRARY_PATH=/cuda",
		"NCCL_DEBUG=INFO", "HOROVOD_X=2", "NOEQ", "HOROVOD_Y=3", "OMPI_COMM_WORLD_RANK=3",
	}
	if diff := cmp.Diff(want, rankEnv(host, launcher, nil, []string{"NCCL_DEBUG", "HOROVOD_*"})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRankHasWhatTheLauncherSets: that is what differs from the environment of the launcher's own process.
// What the launcher carries from the leader for no option does not count, where it carries everything.
func TestRankHasWhatTheLauncherSets(t *testing.T) {
	host := []string{"SM_CURRENT_HOST=algo-2", "OMPI_MCA_btl=^openib", "A=image", "HOME=/home/x"}
	parent := []string{"OMPI_MCA_btl=^openib", "A=image", "HOME=/root"}
	for _, c := range []struct{ carried, want string }{
		{"", "SM_CURRENT_HOST=algo-2 OMPI_MCA_btl=tcp A=file HOME=/home/x"},
		{"SM_CURRENT_HOST=algo-2", "SM_CURRENT_HOST=algo-2 OMPI_MCA_btl=tcp A=file HOME=/home/x"},
		{"SM_CURRENT_HOST=algo-1", "SM_CURRENT_HOST=algo-2 OMPI_MCA_btl=^openib A=image HOME=/home/x"},
	} {
		launcher := strings.Fields("OMPI_MCA_btl=tcp A=file HOME=/root " + c.carried)
		if got := strings.Join(rankEnv(host, launcher, parent, nil), " "); got != c.want {
			t.Errorf("%q carried: got %s, want %s", c.carried, got, c.want)
		}
	}
}

// TestRankCommandHasVariablesOfHostAndRank: the variables of the host and of the rank are put into the words.
func TestRankCommandHasVariablesOfHostAndRank(t *testing.T) {
	env := []string{"SM_CURRENT_HOST=algo-2", "ENTRAIN_COLON=:", "ENTRAIN_LOCAL_RANK=1"}
	words := []string{
		"train", "${SM_CURRENT_HOST}", "1$ $${SM_X}", "${ENTRAIN_COLON}", "c_${ENTRAIN_LOCAL_RANK}",
	}
	wantArgv := []string{"train", "algo-2", "1$ ${SM_X}", ":", "c_1"}
	cmd, err := rankCommand(words, env)
	if err != nil || !slices.Equal(cmd.Argv, wantArgv) || !slices.Equal(cmd.Env, env) {
		t.Errorf("got %+v, %v", cmd, err)
	}
}

// TestRankWordsAreRefusedUnlessComplete: they need a directory, a name behind each --keep, and a command.
func TestRankWordsAreRefusedUnlessComplete(t *testing.T) {
	for _, args := range [][]string{
		nil, {"dir"}, {"dir", "--"}, {"dir", "--keep", "--", "x"}, {"dir", "--drop", "X", "--", "x"},
	} {
		if _, err := parseRankWords(args); report.ExitCode(err) != report.CodeUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
	c, err := parseRankWords([]string{"dir", "--keep", "A", "--tag", "--keep", "B", "--", "x", "--", "y"})
	wantKept, wantWords := []string{"A", "B"}, []string{"x", "--", "y"}
	if err != nil || c.dir != "dir" || !c.tag || !slices.Equal(c.kept, wantKept) ||
		!slices.Equal(c.words, wantWords) {
		t.Errorf("got %+v %v", c, err)
	}
}

// TestTextOfRankIsPrintable: a rank's text, which may hold what a trainer printed, becomes one printable
// line.
func TestTextOfRankIsPrintable(t *testing.T) {
	h := &Host{launch: &plan.Launch{}}
	r := &standInRank{number: 2, end: remote.RankEnd{Code: 3, Text: "exit code 3:\x1b]0;t\a\nx\u202ey"}}
	if e, _ := h.outcomeOf(r); e.Text != "rank 2: exit code 3: xy" {
		t.Errorf("%q", e.Text)
	}
}
