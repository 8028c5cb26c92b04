// Package mpi knows the launchers of MPI: their hostfiles, command lines, variables, daemons and ranks. It is
// pure: it computes texts and values, and starts nothing.
package mpi

import (
	"fmt"
	"strconv"
	"strings"
)

// Host is a host of the cluster, with the number of ranks that it takes.
type Host struct {
	Name  string
	Slots int // at least 1
}

// Format is a dialect of hostfiles.
type Format string

// The formats. PRRTE of Open MPI 5 reads the format of Open MPI 4. Intel MPI reads the format of Hydra.
const (
	OpenMPI   Format = "openmpi"   // a line "host slots=N"
	MPICH     Format = "mpich"     // a line "host:N" (Hydra)
	Intel     Format = "intel"     // the same as mpich
	Horovod   Format = "horovod"   // one word "host:N,host:N" for horovodrun -H
	DeepSpeed Format = "deepspeed" // the same as openmpi; DeepSpeed requires slots=
	Plain     Format = "plain"     // a line "host", without slots
	LightGBM  Format = "lightgbm"  // a line "address 12400", LightGBM's default port; it takes no names
)

// Formats gives all formats, the default first.
func Formats() []string {
	return []string{
		string(OpenMPI), string(MPICH), string(Intel), string(Horovod), string(DeepSpeed), string(Plain),
		string(LightGBM),
	}
}

// Hostfile writes hosts in a format. Every count is explicit: without one, some launchers take the number of
// cores, others one rank. Lines end with LF, and no host appears twice: Open MPI stops at a CR and at a
// duplicate. A name with a colon, such as an IPv6 address, is an error, since some dialects read the colon as
// a separator.
func Hostfile(format Format, hosts []Host) (string, error) {
	if err := checkHosts(hosts); err != nil {
		return "", err
	}
	line, separator, end := "%s slots=%s", "\n", "\n"
	switch format {
	case OpenMPI, DeepSpeed:
	case MPICH, Intel:
		line = "%s:%s"
	case Horovod:
		line, separator = "%s:%s", ","
	case Plain:
		line = "%s%.0s"
	case LightGBM:
		line = "%s 12400%.0s"
	default:
		return "", fmt.Errorf("hostfile format %q: expected %s", format, strings.Join(Formats(), ", "))
	}
	lines := make([]string, len(hosts))
	for i, h := range hosts {
		lines[i] = fmt.Sprintf(line, h.Name, strconv.Itoa(h.Slots))
	}
	return strings.Join(lines, separator) + end, nil
}

// checkHosts finds the first host that no hostfile can hold.
func checkHosts(hosts []Host) error {
	seen := map[string]bool{}
	for _, h := range hosts {
		switch {
		case seen[h.Name]:
			return fmt.Errorf("host %q is in the hostfile twice", h.Name)
		case h.Name == "" || strings.ContainsAny(h.Name, " \t\r\n:,#="):
			return fmt.Errorf("host %q: no hostfile can hold this name", h.Name)
		case h.Slots < 1:
			return fmt.Errorf("host %q: %d slots, expected at least 1", h.Name, h.Slots)
		}
		seen[h.Name] = true
	}
	if len(hosts) == 0 {
		return fmt.Errorf("a hostfile needs at least one host")
	}
	return nil
}
