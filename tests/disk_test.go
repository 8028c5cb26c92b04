package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestFullDisk: on a disk without room the failure file is written into what is there already, and says what is used up;
// where that cannot be the log says so. The exit code stays.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for a mount namespace")
	}
	must(t, "scripts/build")
	const fill = `head -c 1M /dev/zero >"$DIR/output/data/x" 2>/dev/null; `
	for _, c := range []struct {
		what, options string
		before        string // what is done in the tree once its output is mounted
		trainer       string
		code          int
		failure, log  string // what they hold
	}{
		{
			"no inodes, an empty file", "nr_inodes=9", "", `: >"$DIR/output/failure"; while touch "$DIR/output/$((i += 1))" 2>/dev/null; do :; done; exit 3`,
			3, "no inodes left in ", "sh: exit code 3 after ",
		},
		{"no room, an earlier file", "size=16k", `echo old >"$DIR/output/failure"; ` + fill, "", 64, "no command: ", "no command: "},
		{"room, but a file that is a mount", "size=4m", `cd "$DIR/output" && : >failure && mount --bind failure failure; `, "exit 3", 3, "sh: exit code 3 after ", ""},
		{"no room, no file", "size=16k", "", fill + "exit 3", 3, "", "no space left on device"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := tree(t)
			// The mount is seen by what runs here alone, so the failure file is printed.
			script := `mount -t tmpfs -o ` + c.options + ` tmpfs "$DIR/output" || exit 99; mkdir "$DIR/output/data"; ` + c.before +
				`"$@"; code=$?; cat "$DIR/output/failure"; exit $code`
			argv := []string{"-m", "sh", "-c", script, "sh", abs(t, "dist/entrain"), "run", "--root", dir, "--args-style", "none"}
			if c.trainer != "" {
				argv = append(argv, "--", "sh", "-c", c.trainer)
			}
			var log strings.Builder
			cmd := exec.Command("unshare", argv...)
			cmd.Env, cmd.Stderr = append(os.Environ(), "DIR="+dir), &log
			failure, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(failure), c.failure) || !strings.Contains(log.String(), c.log) {
				t.Errorf("exit code %d, want %d\nfailure file, want %q:\n%s\nlog, want %q:\n%s", code, c.code, c.failure, failure, c.log, log.String())
			}
			if strings.Contains(string(failure), "old") {
				t.Errorf("an earlier run's words are left: %q", failure)
			}
		})
	}
}
