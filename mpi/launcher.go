package mpi

import (
	"fmt"
	"strconv"
	"strings"
)

// Family is a kind of launcher. All launchers of one family read the same variables and flags.
type Family string

// The families.
const (
	FamilyOpenMPI4 Family = "openmpi-4" // ORTE: Open MPI up to 4
	FamilyOpenMPI5 Family = "openmpi-5" // PRRTE
	FamilyMPICH    Family = "mpich"     // Hydra
	FamilyIntel    Family = "intel"     // Intel's own Hydra
)

// Launcher is an mpirun: its family and its version.
type Launcher struct {
	Family  Family
	Version string // as it says: 4.1.4, 2021.10, 2019 Update 8
}

// format is the dialect of the launcher's hostfile.
func (l Launcher) format() Format {
	if l.hydra() {
		return MPICH
	}
	return OpenMPI
}

func (l Launcher) hydra() bool { return l.Family == FamilyMPICH || l.Family == FamilyIntel }

// Identify tells launchers apart by what mpirun --version prints. Lines before the telling one, such as a
// warning of a wrapper, are passed over.
func Identify(versionText string) (Launcher, error) {
	lines := strings.Split(versionText, "\n")
	for i, line := range lines {
		if _, after, ok := strings.Cut(line, "Intel(R) MPI Library"); ok {
			_, version, _ := strings.Cut(after, "Version ")
			version, _, _ = strings.Cut(version, " Build")
			return Launcher{FamilyIntel, strings.TrimSpace(version)}, nil
		}
		if strings.Contains(line, "HYDRA build details") {
			return Launcher{FamilyMPICH, hydraVersion(lines[i+1:])}, nil
		}
		if launcher, ok := openMPI(line); ok {
			return launcher, nil
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(versionText), "\n")
	return Launcher{}, fmt.Errorf("mpirun --version begins with %q: expected Open MPI's (mpirun (Open MPI) 4.1.4), "+
		"MPICH's (HYDRA build details:) or Intel MPI's (Intel(R) MPI Library for Linux* OS, Version 2021.10)", cut(first, 100))
}

func hydraVersion(lines []string) string {
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "Version" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// openMPI reads "mpirun (Open MPI) 4.1.4", and the same of orterun and of PRRTE's own prterun.
func openMPI(line string) (Launcher, bool) {
	for _, name := range []string{"(Open MPI) ", "(OpenRTE) ", "(PRRTE) "} {
		_, version, ok := strings.Cut(line, name)
		if !ok {
			continue
		}
		version, _, _ = strings.Cut(strings.TrimSpace(version), " ")
		major, _, _ := strings.Cut(version, ".")
		number, err := strconv.Atoi(major)
		if err != nil {
			continue
		}
		if number >= 5 || name == "(PRRTE) " {
			return Launcher{FamilyOpenMPI5, version}, true
		}
		return Launcher{FamilyOpenMPI4, version}, true
	}
	return Launcher{}, false
}

// cut shortens what an error quotes.
func cut(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
