package mpi

import (
	"strings"
	"testing"
)

func TestIdentifyReadsEveryVersionText(t *testing.T) {
	for _, c := range []struct {
		text string
		want Launcher
	}{
		{
			"mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/\n",
			Launcher{FamilyOpenMPI4, "4.1.4"},
		},
		{"mpirun.openmpi (OpenRTE) 4.1.4\n\nReport bugs to", Launcher{FamilyOpenMPI4, "4.1.4"}},
		{"warning: a wrapper speaks\nmpirun (Open MPI) 4.1.7a1\n", Launcher{FamilyOpenMPI4, "4.1.7a1"}},
		{"mpirun (Open MPI) 3.1.6", Launcher{FamilyOpenMPI4, "3.1.6"}},
		{
			"mpirun.openmpi (Open MPI) 5.0.7\n\nReport bugs to https://www.open-mpi.org/community/help/\n",
			Launcher{FamilyOpenMPI5, "5.0.7"},
		},
		{"mpirun (Open MPI) 10.0.1rc2", Launcher{FamilyOpenMPI5, "10.0.1rc2"}},
		{"prterun (PRRTE) 3.0.8\n", Launcher{FamilyOpenMPI5, "3.0.8"}},
		{
			"HYDRA build details:\n    Version:                                 4.0.2\n    Release Date: x\n",
			Launcher{FamilyMPICH, "4.0.2"},
		},
		{
			"Intel(R) MPI Library for Linux* OS, Version 2021.10 Build 20230619 (id: c2e19c2f3e)\nCopyright",
			Launcher{FamilyIntel, "2021.10"},
		},
		{
			"Intel(R) MPI Library for Linux* OS, Version 2019 Update 08 Build 202010429 (id: e380127cb)\nCopy",
			Launcher{FamilyIntel, "2019 Update 08"},
		},
	} {
		if got, err := Identify(c.text); err != nil || got != c.want {
			t.Errorf("%q: %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestIdentifyRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{
		"", "\nslurm 23.02\nmore", "mpirun (Open MPI) main", "mpirun: command not found", strings.Repeat("x", 5000),
	} {
		_, err := Identify(text)
		if err == nil || !strings.Contains(err.Error(), "HYDRA build details") || len(err.Error()) > 500 {
			t.Errorf("%.50q: %v", text, err)
		}
	}
	const want = `mpirun --version begins with "slurm 23.02": expected Open MPI`
	if _, err := Identify("\nslurm 23.02\nmore"); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add("mpirun (Open MPI) 4.1.4\n")
	f.Add("HYDRA build details:\n Version: 4.0.2")
	f.Add("Intel(R) MPI Library for Linux* OS, Version 2021.10 Build 1")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Identify(text)
		if (err == nil) != (l.Family != "") || !strings.Contains(text, l.Version) {
			t.Fatalf("%q: %v, %v", text, l, err)
		}
	})
}
