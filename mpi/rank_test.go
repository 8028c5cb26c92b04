package mpi

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestRankOfReadsTheLaunchersVariables(t *testing.T) {
	for text, want := range map[string]Rank{
		"OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4 " +
			"OMPI_COMM_WORLD_LOCAL_RANK=0 OMPI_COMM_WORLD_LOCAL_SIZE=1": {3, 4, 0, 1},
		"PMI_RANK=2 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=3":            {2, 4, 1, 3},
		"PMI_RANK=0 PMI_RANK=9 PMI_SIZE=1 MPI_LOCALRANKID=0 MPI_LOCALNRANKS=1": {0, 1, 0, 1},
	} {
		if got, err := RankOf(strings.Fields(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                       "neither OMPI_COMM_WORLD_RANK nor PMI_RANK is set: only mpirun starts a rank",
		"PMI_RANK=0":             "PMI_RANK is set, and PMI_SIZE is not: expected both, as one mpirun sets them",
		"PMI_RANK=-1":            `PMI_RANK="-1": expected a whole number from 0 on`,
		"PMI_RANK=1 PMI_SIZE=1x": `PMI_SIZE="1x": expected a whole number from 0 on`,
		"PMI_RANK=1 PMI_SIZE=1 MPI_LOCALRANKID=0 MPI_LOCALNRANKS=1": "PMI_RANK=1 of PMI_SIZE=1, ",
		"PMI_RANK=0 PMI_SIZE=1 MPI_LOCALRANKID=0 MPI_LOCALNRANKS=2": "" +
			"PMI_RANK=0 of PMI_SIZE=1, MPI_LOCALRANKID=0 of MPI_LOCALNRANKS=2: expected each",
	} {
		if got, err := RankOf(strings.Fields(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestRankEnvHasTheNamesOfTorch(t *testing.T) {
	want := "RANK=5 LOCAL_RANK=1 WORLD_SIZE=8 LOCAL_WORLD_SIZE=4"
	if diff := cmp.Diff(strings.Fields(want), (Rank{5, 8, 1, 4}).Env()); diff != "" {
		t.Error(diff)
	}
}

func FuzzRankOf(f *testing.F) {
	f.Add("0", "1", "0", "1", true)
	f.Add("-1", "+1", " 0", "1e3", false)
	f.Fuzz(func(t *testing.T, rank, size, localRank, localSize string, hydra bool) {
		names := []string{
			"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
		}
		if hydra {
			names = []string{"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"}
		}
		var env []string
		for i, value := range []string{rank, size, localRank, localSize} {
			env = append(env, names[i]+"="+value)
		}
		r, err := RankOf(env)
		isPossible := 0 <= r.Rank && r.Rank < r.Size &&
			0 <= r.LocalRank && r.LocalRank < r.LocalSize && r.LocalSize <= r.Size
		if err == nil && !isPossible {
			t.Fatalf("%q: %v", env, r)
		}
		if err != nil && len(fmt.Sprint(err)) > 400 {
			t.Fatalf("%q: a long error %v", env, err)
		}
	})
}

// TestRankErrorQuotesWholeCharacters: an error that cuts a long value does not cut a character in two.
func TestRankErrorQuotesWholeCharacters(t *testing.T) {
	long := strings.Repeat("é", 40)
	_, err := RankOf([]string{"OMPI_COMM_WORLD_RANK=a" + long})
	if err == nil || !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), `\x`) {
		t.Errorf("%v", err)
	}
}
