// Package mpi writes hostfiles and launcher command lines. It is pure: it decides, and starts nothing.
package mpi

import (
	"fmt"
	"strconv"
	"strings"
)

// Host is a host of the cluster and how many ranks it takes.
type Host struct {
	Name  string
	Slots int // at least 1
}

// Format is a dialect of hostfiles.
type Format string

// The formats. Open MPI 5's PRRTE reads Open MPI's; Intel MPI reads Hydra's.
const (
	OpenMPI   Format = "openmpi"   // a line "host slots=N"
	MPICH     Format = "mpich"     // a line "host:N" (Hydra)
	Intel     Format = "intel"     // as mpich
	Horovod   Format = "horovod"   // one word "host:N,host:N" for horovodrun -H
	DeepSpeed Format = "deepspeed" // as openmpi; DeepSpeed insists on slots=
	Plain     Format = "plain"     // a line "host", without slots
)

// Formats are all formats, the default first.
func Formats() []string {
	return []string{string(OpenMPI), string(MPICH), string(Intel), string(Horovod), string(DeepSpeed), string(Plain)}
}

// Hostfile writes hosts in a format: every name once, every count explicit, lines ended by LF, since a missing
// count means the number of cores to one launcher and one rank to another, Open MPI stops at a CR or a
// duplicate, and none reads an IPv6 address in every dialect.
func Hostfile(format Format, hosts []Host) (string, error) {
	if err := check(hosts); err != nil {
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
	default:
		return "", fmt.Errorf("hostfile format %q: expected %s", format, strings.Join(Formats(), ", "))
	}
	lines := make([]string, len(hosts))
	for i, h := range hosts {
		lines[i] = fmt.Sprintf(line, h.Name, strconv.Itoa(h.Slots))
	}
	return strings.Join(lines, separator) + end, nil
}

func check(hosts []Host) error {
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
