package mpi

import (
	"fmt"
	"strconv"
	"strings"
)

// Family is a kind of launcher. All launchers of a family read the same variables and flags.
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
	Version string // in its own words: 4.1.4, 2021.10, 2019 Update 8
}

// FaultOverHosts says what is known to be wrong with this launcher where its ranks are on several hosts. It
// is empty where nothing is known.
func (l Launcher) FaultOverHosts() string {
	if l.Family == FamilyMPICH && l.Version == "4.0.2" { // with ssh too: see docs/mpi.md
		return "MPICH 4.0.2 hangs in MPI_Finalize where its ranks are on several hosts"
	}
	return ""
}

// format is the dialect of the launcher's hostfile.
func (l Launcher) format() Format {
	if l.hydra() {
		return MPICH
	}
	return OpenMPI
}

// hydra says whether the launcher is Hydra, of MPICH or of Intel.
func (l Launcher) hydra() bool { return l.Family == FamilyMPICH || l.Family == FamilyIntel }

// Identify finds out which launcher mpirun is, from the output of mpirun --version. It ignores lines before
// the one that names the launcher, such as a warning of a wrapper.
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
	return Launcher{}, fmt.Errorf("mpirun --version begins with %q: "+
		"expected Open MPI's (mpirun (Open MPI) 4.1.4), "+
		"MPICH's (HYDRA build details:) or Intel MPI's (Intel(R) MPI Library for Linux* OS, Version 2021.10)",
		shorten(first, 100))
}

// hydraVersion finds the version in the lines after "HYDRA build details".
func hydraVersion(lines []string) string {
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "Version" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// openMPI reads a line such as "mpirun (Open MPI) 4.1.4" or "prterun (PRRTE) 3.0.8".
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

// shorten cuts a text that an error quotes to at most maxBytes bytes, and no character in two.
func shorten(text string, maxBytes int) string {
	if len(text) <= maxBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxBytes], "") + "…"
}
