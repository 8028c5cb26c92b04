package plan

import (
	"slices"
	"strings"
	"testing"

	"entrain/contract"
)

// TestScriptOfTheJobIsStartedThroughMPI4Py: only where MPI starts it, and the image's Python has the module.
func TestScriptOfTheJobIsStartedThroughMPI4Py(t *testing.T) {
	const script = "/opt/ml/code/train.py"
	const note = "started as python3 -m mpi4py train.py, it ends the job"
	has, lacks := map[string]bool{mpi4py: true}, map[string]bool{mpi4py: false}
	for _, c := range []struct {
		name, launcher string
		command        []string
		modules        map[string]bool
		asked          string
		want           []string
		noted          bool
	}{
		{"the job's script", LauncherMPI, nil, has, mpi4py, []string{"python3", "-m", "mpi4py", script}, false},
		{"without the module", LauncherMPI, nil, lacks, mpi4py, []string{"python3", script}, false},
		{"without MPI", LauncherNone, nil, nil, "", []string{"python3", script}, false},
		{"a script of the user calls mpirun", LauncherScript, nil, has, mpi4py, []string{"python3", script}, false},
		{"a command", LauncherMPI, []string{"python3", "train.py"}, nil, "", []string{"python3", "train.py"}, true},
		{"another command", LauncherMPI, []string{"./train"}, nil, "", []string{"./train"}, false},
		{
			"mpi4py already", LauncherMPI,
			[]string{"python3", "-m", "mpi4py", "train.py"},
			nil, "",
			[]string{"python3", "-m", "mpi4py", "train.py"},
			false,
		},
	} {
		in := photographJob(t, "{}", alone, "SAGEMAKER_PROGRAM=train.py")
		in.Snapshot.Launcher = &contract.Program{Path: "mpirun", Version: "mpirun (Open MPI) 4.1.4"}
		in.Snapshot.Modules, in.Snapshot.Self = c.modules, "/entrain"
		o := options(c.command...)
		o.Launcher = c.launcher
		if got := Questions(in.Snapshot, o, ScopeLaunch).Module; got != c.asked {
			t.Errorf("%s: the photograph is asked for %q, want %q", c.name, got, c.asked)
		}
		p, err := in.Plan(o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := p.Command.Argv
		if p.Launch != nil && !p.Launch.Script {
			got = p.Launch.Trainer
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if noted := strings.Contains(strings.Join(p.Remarks, "\n"), note); noted != c.noted {
			t.Errorf("%s: the plan notes %q", c.name, p.Remarks)
		}
	}
}
