package mpi

import (
	"fmt"
	"strconv"
	"strings"
)

// Rank is the place of one process among all processes of a job, and among those of its host.
type Rank struct{ Rank, Size, LocalRank, LocalSize int }

// RankOf reads a rank from the variables that its launcher sets: those of Open MPI, or those of Hydra and
// Intel MPI. It gives an error where one is missing, is not a number, or contradicts another.
func RankOf(env []string) (Rank, error) {
	openMPI := []string{
		"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
	}
	hydra := []string{"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"}
	for _, names := range [][]string{openMPI, hydra} {
		if _, ok := lookup(env, names[0]); ok {
			return readRank(env, names)
		}
	}
	return Rank{}, fmt.Errorf("neither %s nor %s is set: only mpirun starts a rank", openMPI[0], hydra[0])
}

// readRank reads the four variables of one launcher: rank, size, local rank and local size.
func readRank(env, names []string) (Rank, error) {
	var r Rank
	for i, field := range []*int{&r.Rank, &r.Size, &r.LocalRank, &r.LocalSize} {
		text, ok := lookup(env, names[i])
		if !ok {
			return Rank{}, fmt.Errorf("%s is set, and %s is not: expected both, as one mpirun sets them",
				names[0], names[i])
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return Rank{}, fmt.Errorf("%s=%q: expected a whole number from 0 on", names[i], shorten(text, 40))
		}
		*field = n
	}
	if r.Rank >= r.Size || r.LocalRank >= r.LocalSize || r.LocalSize > r.Size {
		return Rank{}, fmt.Errorf("%s=%d of %s=%d, %s=%d of %s=%d: "+
			"expected each rank below its size, and no more on a host than in all",
			names[0], r.Rank, names[1], r.Size, names[2], r.LocalRank, names[3], r.LocalSize)
	}
	return r, nil
}

// Env gives the rank as variables of torch.distributed, which other frameworks read too.
func (r Rank) Env() []string {
	return []string{
		"RANK=" + strconv.Itoa(r.Rank),
		"LOCAL_RANK=" + strconv.Itoa(r.LocalRank),
		"WORLD_SIZE=" + strconv.Itoa(r.Size),
		"LOCAL_WORLD_SIZE=" + strconv.Itoa(r.LocalSize),
	}
}

// lookup finds a variable in an environment. The first of equal names counts.
func lookup(env []string, name string) (string, bool) {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
