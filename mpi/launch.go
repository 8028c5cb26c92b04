package mpi

import (
	"slices"
	"strconv"
)

// Launch is a job that mpirun starts over all hosts.
type Launch struct {
	Launcher     Launcher
	Program      string   // mpirun: a path or a name
	Hosts        []Host   // in rank order
	Processes    int      // the number of ranks; 0 for the sum of the slots
	Interface    string   // the network interface between the hosts; empty leaves the choice to MPI
	InstanceType string   // of this host, for EFA
	Agent        string   // the path, without blanks or colons, of the program that starts a daemon on another host
	Hostfile     string   // where the launcher's hostfile will be; see Hostfiles
	Options      []string // the user's own words, last before the program
	Rank         []string // what stands between mpirun and the trainer, on every host
	Trainer      []string
}

// File is a text and the path that it is written to.
type File struct{ Path, Text string }

// HostfileText is the hostfile in the launcher's dialect.
func (l Launch) HostfileText() (string, error) { return Hostfile(l.Launcher.format(), l.Hosts) }

// Hostfiles are the hostfiles that the variables of Env name: the launcher's, and beside it one in the other
// dialect, for a script that calls another mpirun of the image. Neither dialect's launchers read the other's.
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

func (l Launch) hostfile(format Format) string {
	if format == l.Launcher.format() {
		return l.Hostfile
	}
	return l.Hostfile + "." + string(format)
}

// Argv is the command line: the flags that no variable replaces, the user's own options, the rank's words and the
// trainer's. A launcher stops at an option that it meets twice, and so entrain leaves out each flag that the user gives.
// What a user may want otherwise, such as binding, is left to Env. The program's words must not hold a lone ":", at which
// every mpirun begins another program.
func (l Launch) Argv() []string {
	argv := []string{l.Program}
	if !has(l.Options, "n", "np", "c") {
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

// namesHosts says whether the user's options say which hosts take part, by a file or by a list.
func (l Launch) namesHosts() bool {
	if has(l.Options, "hostfile", "machinefile", "host") {
		return true
	}
	if l.Launcher.hydra() {
		return has(l.Options, "f", "hosts", "hostlist", "machine")
	}
	return has(l.Options, "default-hostfile", "H")
}

// flags are the family's own: output whose lines say which rank they are of, and each host's own environment.
func (l Launch) flags() []string {
	var flags []string
	add := func(instead []string, own ...string) {
		if !has(l.Options, instead...) {
			flags = append(flags, own...)
		}
	}
	prefix := []string{"prepend-rank", "l", "prepend-pattern"}
	switch l.Launcher.Family {
	case FamilyMPICH:
		add(prefix, "-prepend-rank")
		if l.Interface == "" && len(l.Hosts) > 0 {
			// The proxies connect to the leader's hostname, which no other host may know.
			add([]string{"localhost"}, "-localhost", l.Hosts[0].Name)
		}
	case FamilyIntel:
		add(prefix, "-prepend-rank")
		add([]string{"genvall", "genvlist", "genvnone"}, "-genvnone") // no variable is documented for it
	case FamilyOpenMPI5:
		// The words of Open MPI 4 become an --output of their own.
		add([]string{
			"output", "tag-output", "timestamp-output", "merge-stderr-to-stdout", "output-filename", "output-directory", "xml",
		}, "--output", "tag")
	default:
		add([]string{"tag-output"}, "--tag-output")
	}
	return flags
}

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
