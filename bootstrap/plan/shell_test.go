package plan

import (
	"strings"
	"testing"
)

// TestShell: the shells that lose hyperparameters, and the line that does not.
func TestShell(t *testing.T) {
	for _, c := range []struct {
		words []string
		hint  string // empty where nothing is lost
	}{
		{[]string{"sh", "-c", "python3 train.py"}, `sh -c 'exec python3 train.py "$@"' sh, or`},
		{[]string{"/bin/bash", "-euo", "pipefail", "-c", "cd x && python3 train.py;"}, `/bin/bash -euo pipefail -c 'cd x && python3 train.py "$@"' bash, or`},
		{[]string{"bash", "-lc", "exec python3 train.py", "me"}, `bash -lc 'exec python3 train.py "$@"' bash, or`},
		{[]string{"sh", "-c", "A=1 python3 train.py"}, `sh -c 'A=1 python3 train.py "$@"' sh, or`},
		{[]string{"sh", "-c", "for i in 1 2; do python3 train.py; done"}, `put "$@" behind the program in the text, and the word sh behind the text, or`},
		{[]string{"ash", "-c", "python3 train.py | tee log"}, `put "$@" behind the program in the text, and the word ash behind the text, or`},
		{[]string{"sh", "-c", "python3 train.py &"}, `put "$@" behind the program`},
		{[]string{"sh", "-c", " "}, `put "$@" behind the program`},
		{[]string{"sh", "-c", `python3 train.py "$@"`, "sh"}, ""},
		{[]string{"sh", "-c", `python3 train.py "$@"`}, `sh -c 'python3 train.py "$@"' sh, or`},
		{[]string{"bash", "-ec", `for a in "${@}"; do echo $a; done | cat`}, `bash -ec 'for a in "${@}"; do echo $a; done | cat' bash, or`},
		{[]string{"env", "A=1", "sh", "-c", "python3 train.py"}, `env A=1 sh -c 'exec python3 train.py "$@"' sh, or`},
		{[]string{"/usr/bin/timeout", "60", "bash", "-lc", "x train.py"}, `/usr/bin/timeout 60 bash -lc 'exec x train.py "$@"' bash, or`},
		{[]string{"env", "A=1", "sh", "-c", `python3 train.py "$@"`, "sh"}, ""},
		{[]string{"env", "A=1", "python3", "train.py"}, ""},
		{[]string{"python3", "train.py", "sh", "-c", "x"}, ""},
		{[]string{"sh", "-c", `python3 train.py "$0" "$@"`}, ""},
		{[]string{"sh", "-c", `python3 train.py $*`, "sh"}, ""},
		{[]string{"sh", "-c", `python3 train.py ${1}`}, ""},
		{[]string{"sh", "-c", `echo $1`}, ""},
		{[]string{"sh", "-c", `python3 train.py --lr $SM_HP_LR`}, ""},
		{[]string{"sh", "-c", `while getopts l: x; do :; done`}, ""},
		{[]string{"mksh", "-c", "x train.py"}, `mksh -c 'exec x train.py "$@"' mksh, or`},
		{[]string{"bash-5.2", "-c", "x train.py"}, `bash-5.2 -c 'exec x train.py "$@"' bash-5.2, or`},
		{[]string{"bash", "-cO", "extglob", "x train.py"}, `bash -cO extglob 'exec x train.py "$@"' bash, or`},
		{[]string{"sh", "-c", "--", "x train.py"}, `sh -c -- 'exec x train.py "$@"' sh, or`},
		{[]string{"sh", "-c", "-", "x train.py"}, `sh -c - 'exec x train.py "$@"' sh, or`},
		{[]string{"fish", "-c", "x train.py"}, ""},
		{[]string{"sh", "train.sh", "sh", "-c", "x"}, ""},
		{[]string{"sh", "train.sh"}, ""},
		{[]string{"sh", "train.sh", "-c", "x"}, ""},
		{[]string{"python3", "-c", "print()"}, ""},
		{[]string{"sh"}, ""},
		{[]string{"sh", "-c"}, ""},
		{nil, ""},
	} {
		job := world(t, `{"lr":"1"}`, alone).Job
		var got string
		for _, p := range checkShell(job, c.words, options()) {
			got = p.Hint
		}
		if c.hint == "" && got != "" || !strings.HasPrefix(got, c.hint) {
			t.Errorf("%q: %q, want %q", c.words, got, c.hint)
		}
		o := options()
		o.ArgsStyle = "none"
		if len(checkShell(job, c.words, o)) > 0 || len(checkShell(world(t, `{}`, alone).Job, c.words, options())) > 0 {
			t.Errorf("%q: said where nothing is lost", c.words)
		}
	}
}

// TestKeyChoice: a key file that cannot be read matters only where no variable has the key.
func TestKeyChoice(t *testing.T) {
	const two = `{"current_host":"a","hosts":["a","b"]}`
	in := world(t, `{}`, two, "ENTRAIN_CLUSTER_KEY="+strings.Repeat("00", 32))
	in.Snapshot.ClusterKey.Problem = "cannot be read: permission denied"
	if plan, err := in.Plan(options("x")); err != nil || !plan.Rendezvous.Key.Given {
		t.Error(err)
	}
	in.Snapshot.Env = nil
	if _, err := in.Plan(options("x")); !isUsage(err) || !strings.Contains(err.Error(), "permission denied, expected a readable file") || !strings.Contains(err.Error(), "\nhint: in the Dockerfile: RUN entrain keygen --owner ") {
		t.Error(err)
	}
}
