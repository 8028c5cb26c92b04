package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestFailureIsReportedOnFullDisk checks that, on a full disk, entrain overwrites an existing failure file
// and says in it what is used up. If entrain cannot write the file, its log says so. The exit code stays.
func TestFailureIsReportedOnFullDisk(t *testing.T) {
	needRoot(t, "for a mount namespace")
	must(t, "scripts/build")
	const fill = `head -c 1M /dev/zero >"$DIR/output/data/x" 2>/dev/null; `
	for _, c := range []struct {
		what, options string // the options are those of the file system for the output directory
		before        string // shell commands that run once that is mounted
		trainer       string // shell commands; empty for no trainer
		code          int
		failure, log  string // texts that the failure file and the log contain
	}{
		{
			"no inodes, an empty file", "nr_inodes=9", "",
			`: >"$DIR/output/failure"; ` +
				`while touch "$DIR/output/$((i += 1))" 2>/dev/null; do :; done; exit 3`,
			3, "no inodes left in ", "sh: exit code 3 after ",
		},
		{
			"no room, an earlier file", "size=16k", `echo old >"$DIR/output/failure"; ` + fill, "",
			64, "no command: ", "no command: ",
		},
		{
			"room, but the file is a mount", "size=4m",
			`cd "$DIR/output" && : >failure && mount --bind failure failure; `, "exit 3",
			3, "sh: exit code 3 after ", "",
		},
		{"no room, no file", "size=16k", "", fill + "exit 3", 3, "", "no space left on device"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := tree(t)
			// Only the script sees the mount, so it prints the failure file.
			script := `mount -t tmpfs -o ` + c.options + ` tmpfs "$DIR/output" || exit 99; ` +
				`mkdir "$DIR/output/data"; ` + c.before +
				`"$@"; code=$?; cat "$DIR/output/failure"; exit $code`
			argv := []string{"-m", "sh", "-c", script, "sh"}
			argv = append(argv, abs(t, "dist/entrain"), "run", "--root", dir, "--args-style", "none")
			if c.trainer != "" {
				argv = append(argv, "--", "sh", "-c", c.trainer)
			}
			var log strings.Builder
			cmd := exec.Command("unshare", argv...)
			cmd.Env, cmd.Stderr = append(os.Environ(), "DIR="+dir), &log
			out, _ := cmd.Output()
			failure := string(out)
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d\nlog:\n%s", code, c.code, log.String())
			}
			if !strings.Contains(failure, c.failure) || !strings.Contains(log.String(), c.log) {
				t.Errorf("failure file, want %q:\n%s\nlog, want %q:\n%s", c.failure, failure, c.log, log.String())
			}
			if strings.Contains(failure, "old") {
				t.Errorf("the text of an earlier run is left: %q", failure)
			}
		})
	}
}
