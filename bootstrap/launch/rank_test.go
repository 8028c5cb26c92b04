package launch

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/bootstrap/report"
)

// TestRankEnv: a rank has its own host's environment, whatever the launcher carries there.
func TestRankEnv(t *testing.T) {
	host := []string{"PATH=/opt/bin:/bin", "SM_CURRENT_HOST=algo-2", "LD_LIBRARY_PATH=/cuda", "NCCL_DEBUG=WARN", "HOROVOD_X=1", "NOEQ"}
	launcher := []string{
		"PATH=/usr/lib/mpi/bin:/opt/bin:/bin", "SM_CURRENT_HOST=algo-1", "LD_LIBRARY_PATH=/elsewhere", "NCCL_DEBUG=INFO", "HOROVOD_X=2", "HOROVOD_Y=3",
		"OMPI_COMM_WORLD_RANK=3",
	}
	want := []string{
		"PATH=/usr/lib/mpi/bin:/opt/bin:/bin", "SM_CURRENT_HOST=algo-2", "LD_LIBRARY_PATH=/cuda", "NCCL_DEBUG=INFO", "HOROVOD_X=2", "NOEQ",
		"HOROVOD_Y=3", "OMPI_COMM_WORLD_RANK=3",
	}
	if diff := cmp.Diff(want, rankEnv(host, launcher, []string{"NCCL_DEBUG", "HOROVOD_*"})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRankCommand: words are filled in with this host's variables, and the rank's own beat the host's.
func TestRankCommand(t *testing.T) {
	env := []string{"SM_CURRENT_HOST=algo-2", "RANK=0", "ENTRAIN_COLON=:"}
	cmd, err := rankCommand([]string{"train", "${SM_CURRENT_HOST}", "1$ $${SM_X}", "${ENTRAIN_COLON}"}, env, []string{"RANK=5"})
	if err != nil || !slices.Equal(cmd.Argv, []string{"train", "algo-2", "1$ ${SM_X}", ":"}) || !slices.Equal(cmd.Env, []string{"SM_CURRENT_HOST=algo-2", "ENTRAIN_COLON=:", "RANK=5"}) {
		t.Errorf("got %+v, %v", cmd, err)
	}
	for _, args := range [][]string{nil, {"dir"}, {"dir", "--"}, {"dir", "--keep", "--", "x"}, {"dir", "--drop", "X", "--", "x"}} {
		if _, _, _, err := rankWords(args); report.ExitCode(err) != report.CodeUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
	dir, keep, words, err := rankWords([]string{"dir", "--keep", "A", "--keep", "B", "--", "x", "--", "y"})
	if err != nil || dir != "dir" || !slices.Equal(keep, []string{"A", "B"}) || !slices.Equal(words, []string{"x", "--", "y"}) {
		t.Errorf("got %q %q %q %v", dir, keep, words, err)
	}
}
