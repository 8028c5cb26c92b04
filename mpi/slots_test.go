package mpi

import (
	"strings"
	"testing"
)

// TestSlotsAreFilledUnlessTheUserPlacesRanks: only then does every slot of every host surely get a rank.
func TestSlotsAreFilledUnlessTheUserPlacesRanks(t *testing.T) {
	for options, want := range map[string]bool{
		"":                                       true,
		"-x A=b --NCCL_DEBUG INFO":               true,
		"--bind-to none -mca btl_tcp_links 2":    true,
		"-np 2":                                  false,
		"-n=2":                                   false,
		"--host algo-1:2":                        false,
		"-f mine":                                false,
		"--map-by ppr:1:node":                    false,
		"-npernode 1":                            false,
		"-N 1":                                   false,
		"--oversubscribe":                        false,
		"-mca rmaps_base_mapping_policy node":    false,
		"-ppn 1":                                 false,
		"-configfile mine":                       false,
		"-x A=b ./setup : -x B=c":                false,
		"--prtemca rmaps_default_mapping_policy": false,
	} {
		l := launch(FamilyMPICH)
		l.Options = strings.Fields(options)
		if got := l.FillsSlots(); got != want {
			t.Errorf("with the options %q, FillsSlots is %v", options, got)
		}
	}
	for processes, want := range map[int]bool{0: true, 3: false, 7: true, 8: false} {
		l := launch(FamilyOpenMPI4)
		l.Processes = processes
		if got := l.FillsSlots(); got != want {
			t.Errorf("with %d ranks for 7 slots, FillsSlots is %v", processes, got)
		}
	}
}
