package tests

import (
	"strings"
	"testing"
)

// A script on a mount that runs no programs starts by its interpreter. A program there cannot start, and the
// hint says why.
func TestScriptOnMountThatRunsNothing(t *testing.T) {
	needRoot(t, "for a mount namespace")
	must(t, "scripts/build")
	for _, c := range []struct{ what, script, command, want string }{
		{"with an interpreter", "#!/bin/sh\nexec printf '<%s>' \"$@\"\n", "", "<--lr><a b>"},
		{"a .sh without an interpreter", "printf '<%s>' \"$@\"\n", "", "<--lr><a b>"},
		{"as the command", "#!/bin/sh\n", "-- $DIR/code/run.sh", "its mount runs no programs (noexec)"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := tree(t, "--hp", "sagemaker_program=run.sh", "--hp", "lr=a b")
			const mount = `DIR=$0; mkdir -p "$DIR/code" && mount -t tmpfs -o noexec tmpfs "$DIR/code" && ` +
				`printf %s "$1" >"$DIR/code/run.sh" && chmod +x "$DIR/code/run.sh" && `
			out, _ := run(t, "unshare", "--mount", "sh", "-c",
				mount+`exec dist/entrain run --root "$DIR" `+c.command, dir, c.script)
			if !strings.Contains(out, c.want) {
				t.Errorf("printed %q, want %q", out, c.want)
			}
		})
	}
}
