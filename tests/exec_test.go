package tests

import (
	"os/exec"
	"strings"
	"testing"
)

// TestExecLeavesNoTraceInTheTrainer checks that under exec the trainer has the descriptors, signals, signal
// mask, limits and directory that it has without entrain, and the process ID of entrain. As PID 1, exec warns
// once.
func TestExecLeavesNoTraceInTheTrainer(t *testing.T) {
	helper := needHelper(t)
	dir := t.TempDir()
	underExec := entrainRun(t, dir, nil, helper, "report")
	underExec[1] = "exec"
	output := func(argv ...string) (stdout, stderr string) {
		cmd := exec.Command(argv[0], argv[1:]...)
		var errText strings.Builder
		cmd.Dir, cmd.Stderr = dir, &errText
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v: %s", argv, err, errText.String())
		}
		return string(out), errText.String()
	}
	for _, prefix := range [][]string{
		nil,
		{helper, "inherit"},
		{"sh", "-c", `ulimit -n 1000; exec 7</dev/null; exec "$@"`, "sh"},
	} {
		want, _ := output(append(append([]string{}, prefix...), helper, "report")...)
		got, warned := output(append(append([]string{}, prefix...), underExec...)...)
		if got != want || warned != "" {
			t.Errorf("after %v:\n%swithout entrain:\n%sstderr: %s", prefix, got, want, warned)
		}
	}
	needRoot(t, "for a PID namespace")
	_, warned := output(append([]string{"unshare", "--pid", "--fork", "--mount-proc"}, underExec...)...)
	if strings.Count(warned, "exec as PID 1") != 1 {
		t.Errorf("as PID 1 it says %q", warned)
	}
}
