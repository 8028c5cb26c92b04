package mpi

import (
	"slices"
	"strconv"
)

// Launch describes a job that mpirun starts over all hosts.
type Launch struct {
	Launcher  Launcher
	Program   string   // mpirun: a path or a name
	Hosts     []Host   // in the order of ranks
	Processes int      // the number of ranks; 0 means the sum of the slots
	Interface string   // the network interface between the hosts; empty leaves the choice to MPI
	EFA       bool     // this host has an Elastic Fabric Adapter
	Agent     string   // the path of the program that starts a daemon on another host; no blanks, no colons
	Hostfile  string   // the path of the launcher's hostfile; see Hostfiles
	Options   []string // the user's options for mpirun, the last words before Rank
	Rank      []string // the words of `entrain rank`, which mpirun starts on every host
	Trainer   []string // the trainer's command, which follows Rank's words
}

// File is a text, with the path of the file that will hold it.
type File struct{ Path, Text string }

// HostfileText gives the hostfile in the launcher's dialect.
func (l Launch) HostfileText() (string, error) { return Hostfile(l.Launcher.format(), l.Hosts) }

// Hostfiles gives the two hostfiles that the variables of Env name. One is in the launcher's dialect, the
// other in the other dialect, for a script that calls another mpirun of the image. No launcher reads both
// dialects.
func (l Launch) Hostfiles() ([]File, error) {
	var files []File
	for _, format := range []Format{OpenMPI, MPICH} {
		text, err := Hostfile(format, l.Hosts)
		if err != nil {
			return nil, err
		}
		files = append(files, File{l.hostfile(format), text})
	}
	return files, nil
}

// hostfile is the path of the hostfile in a format.
func (l Launch) hostfile(format Format) string {
	if format == l.Launcher.format() {
		return l.Hostfile
	}
	return l.Hostfile + "." + string(format)
}

// Argv gives the command line: entrain's flags, the user's options, Rank and Trainer. It has a flag only
// where no variable does the same: Env holds all that a user may want to change, such as binding. A launcher
// fails at an option that it gets twice, so Argv leaves out each flag that the user gives. No word of Trainer
// may be ":", since every mpirun takes it for the start of another program.
func (l Launch) Argv() []string {
	argv := []string{l.Program}
	if !hasOption(l.Options, "n", "np", "c") {
		argv = append(argv, "-np", strconv.Itoa(l.processes()))
	}
	hostfile := "--hostfile"
	if l.Launcher.hydra() {
		hostfile = "-f"
	}
	if !l.namesHosts() {
		argv = append(argv, hostfile, l.Hostfile)
	}
	argv = append(argv, l.flags()...)
	return slices.Concat(argv, l.options(), l.Rank, l.Trainer)
}

// namesHosts says whether the user's options name the hosts that take part, in a file or in a list.
func (l Launch) namesHosts() bool {
	if hasOption(l.Options, "hostfile", "machinefile", "host") {
		return true
	}
	if l.Launcher.hydra() {
		return hasOption(l.Options, "f", "hosts", "hostlist", "machine")
	}
	return hasOption(l.Options, "default-hostfile", "H")
}

// flags gives the flags of the launcher's family. They give each rank the environment of its own host. None
// of them puts a tag in front of lines: the platform reads metrics from lines as the trainer writes them, and
// entrain rank can write tags of its own.
func (l Launch) flags() []string {
	var flags []string
	add := func(userOptions []string, words ...string) { // unless the user gives one of userOptions
		if !hasOption(l.Options, userOptions...) {
			flags = append(flags, words...)
		}
	}
	switch l.Launcher.Family {
	case FamilyMPICH:
		if l.Interface == "" && len(l.Hosts) > 0 {
			// Without it, the proxies connect to the leader's hostname, which the other hosts may not know.
			add([]string{"localhost"}, "-localhost", l.Hosts[0].Name)
		}
	case FamilyOpenMPI4, FamilyOpenMPI5:
	case FamilyIntel:
		add([]string{"genvall", "genvlist", "genvnone"}, "-genvnone") // Intel documents no variable for it
	}
	return flags
}

// processes is the number of ranks.
func (l Launch) processes() int {
	if l.Processes > 0 {
		return l.Processes
	}
	sum := 0
	for _, h := range l.Hosts {
		sum += h.Slots
	}
	return sum
}
