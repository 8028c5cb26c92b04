package tests

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// watchingInit is a shell script that runs entrain as PID 1 would. It then writes the processes that
// entrain has left behind to /opt/ml/output/left.
const watchingInit = `entrain "$@"; code=$?; for p in /proc/[0-9]*; do
  read -r stat <$p/stat && case "$stat" in "1 "* | *") Z "*) ;; *) echo "$stat" ;; esac
done 2>/dev/null >/opt/ml/output/left; exit $code`

// run starts the container of a host, and sends the exit code of the container to h.ends.
func (h *mpiHosts) run(i int) {
	s, f := h.s, h.family
	image, hostname := "entrain-test-mpi:"+f.suite, s.names[i]
	entry, words := "/usr/local/bin/entrain", []string{"run"}
	if s.bare {
		image += "-bare"
	}
	if s.foreign {
		hostname = "ip-10-0-7-" + strconv.Itoa(i)
	}
	if s.watch {
		entry, words = "/bin/sh", []string{"-c", watchingInit, "sh", "run"}
	}
	argv := []string{
		"docker", "run", "-d", "--name", h.container(i), "--network", h.name,
		"--network-alias", s.names[i], "--hostname", hostname,
		"-v", h.dirs[i] + ":/opt/ml", "-e", "TRAINING_JOB_NAME=job-1", "-e", "ENTRAIN_MPIRUN=" + f.mpirun,
		"-e", "ENTRAIN_SLOTS=" + strconv.Itoa(s.slots[i]), "--entrypoint", entry,
	}
	if !s.openssh {
		argv = append(argv, "-e", "ENTRAIN_CLUSTER_KEY="+strings.Repeat("ab", 32))
	}
	if s.launching {
		argv = append(argv, "-e", "ENTRAIN_MPIRUN=/opt/later.py", "-e", "LATER="+f.mpirun)
	}
	argv = slices.Concat(argv, s.options, s.special[i+1], []string{image}, words)
	argv = append(argv, "--launcher", "mpi", "--args-style", "none", "--peer-timeout", "6s", "--grace", "20s")
	argv = append(append(argv, "--"), h.trainer()...)
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		h.t.Errorf("%v: %s", err, out)
	}
	go func() {
		out, err := exec.Command("docker", "wait", h.container(i)).Output()
		code, convErr := strconv.Atoi(string(bytes.TrimSpace(out)))
		if err != nil || convErr != nil {
			code = -1
		}
		h.ends[i] <- code
	}()
}

// trainer returns the command of the scenario's trainer that is built with the family's library.
func (h *mpiHosts) trainer() []string {
	words := strings.Fields(h.s.trainer)
	program := map[string][]string{
		"ring": {"/opt/ring-" + h.family.library}, "cpp": {"/opt/trainer-" + h.family.library},
		"py": {"python3", "/opt/trainer.py"},
	}
	return append(program[words[0]], words[1:]...)
}
