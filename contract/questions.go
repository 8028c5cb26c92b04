package contract

// Questions say what a Snapshot has to hold beside the contract's files. They follow from the files and from
// the user's options.
type Questions struct {
	Programs []string // that are looked for in PATH
	Daemons  []string // that are looked for in PATH and where system programs are
	Code     []string // paths for Snapshot.Paths
	Outputs  []string // paths for Snapshot.Outputs
	// CoresPerNeuron is how many cores a Neuron device has on this instance type; 0 asks neuron-ls.
	CoresPerNeuron int
	Launcher       string // the MPI launcher that is asked for its version; empty for none
	Module         string // the Python module that the first Python in PATH is asked for; empty for none

	Interfaces bool // whether the names of the network interfaces are looked up, for Snapshot.Interfaces
}
