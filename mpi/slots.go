package mpi

import (
	"slices"
	"strings"
)

// FillsSlots says whether every slot of every host gets a rank. It is false where that is not certain: the
// user chooses the number of ranks, the hosts, or where ranks are placed.
func (l Launch) FillsSlots() bool {
	slots := 0
	for _, h := range l.Hosts {
		slots += h.Slots
	}
	if l.processes() != slots || l.namesHosts() || hasOption(l.Options, "n", "np", "c") {
		return false
	}
	return !slices.ContainsFunc(l.Options, placesRanks)
}

// HostOf is the host of a rank. It is empty where the user's options decide that.
func (l Launch) HostOf(rank int) string {
	if rank < 0 || l.namesHosts() || slices.ContainsFunc(l.Options, placesRanks) {
		return ""
	}
	for _, h := range l.Hosts {
		if rank < h.Slots {
			return h.Name
		}
		rank -= h.Slots
	}
	return ""
}

// placesRanks says whether a word of the user's options is one of the options that place ranks, of any
// launcher, or the start of another program.
func placesRanks(word string) bool {
	if word == ":" || strings.HasPrefix(word, "rmaps_") { // rmaps_ begins the parameters of Open MPI's mappers
		return true
	}
	return hasOption([]string{word},
		"map-by", "N", "npernode", "pernode", "npersocket", "ppr", "rankfile", "rf", "bynode", "byslot",
		"oversubscribe", "cpus-per-proc", "cpus-per-rank", "app", "tune", "am", // of Open MPI
		"ppn", "perhost", "grr", "rr", "configfile", "rmk") // of Hydra and Intel MPI
}
