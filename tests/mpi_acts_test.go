package tests

import "strconv"

// killer is a Python program. It sends a signal to every process whose name begins with a word, and
// prints how many processes there are. The images without a shell have no program kill.
const killer = `
import os, sys
n = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if open("/proc/" + pid + "/comm").read().startswith(sys.argv[2]):
            os.kill(int(pid), int(sys.argv[1]))
            n += 1
    except OSError:
        pass
print(n)
sys.exit(n == 0)
`

// signal sends a signal to the processes with a name on a host.
func (h *mpiHosts) signal(i, sig int, program string) {
	h.t.Helper()
	must(h.t, "docker", "exec", h.container(i-1), "python3", "-c", killer, strconv.Itoa(sig), program)
}

// launcher is the name of the launcher's process: mpirun of Open MPI 5 starts prterun in its place.
func (h *mpiHosts) launcher() string {
	names := map[string]string{"Open MPI 4.1": "mpirun", "Open MPI 5.0": "prterun", "MPICH 4.2": "mpirun"}
	return names[h.family.name]
}

// daemon is the name of the process that the launcher starts on each other host. The kernel keeps 15
// bytes of a name.
func (h *mpiHosts) daemon() string {
	names := map[string]string{
		"Open MPI 4.1": "orted", "Open MPI 5.0": "prted", "MPICH 4.2": "hydra_pmi_proxy"[:15],
	}
	return names[h.family.name]
}

// signalTo is an act that sends a signal to a process on a host.
func signalTo(host, sig int, name func(*mpiHosts) string) func(*mpiHosts) {
	return func(h *mpiHosts) { h.signal(host, sig, name(h)) }
}

// program is the name of a process that is the same under all launchers.
func program(name string) func(*mpiHosts) string { return func(*mpiHosts) string { return name } }

// docker is an act that runs a command of docker with the container of a host.
func docker(command string, host int) func(*mpiHosts) {
	return func(h *mpiHosts) { h.docker(command, host) }
}

// cutOff is an act that takes a host off the network.
func cutOff(host int) func(*mpiHosts) { return func(h *mpiHosts) { h.cut(host) } }

// stop sends SIGTERM to all hosts, as the platform does.
func (h *mpiHosts) stop() {
	h.t.Helper()
	argv := []string{"docker", "kill", "-s", "TERM"}
	for i := range h.dirs {
		argv = append(argv, h.container(i))
	}
	must(h.t, argv...)
}

// releaseAll lets the trainers on all hosts go on.
func (h *mpiHosts) releaseAll() {
	for i := range h.dirs {
		h.release(i + 1)
	}
}

// cut takes a host off the network.
func (h *mpiHosts) cut(i int) { h.docker("network disconnect", i, h.name) }
