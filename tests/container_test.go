package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFailureFileSaysWhatContainerDid checks that the failure file says what the container did to the
// trainer, beside the trainer's own words.
func TestFailureFileSaysWhatContainerDid(t *testing.T) {
	image := exampleImage(t)
	for _, c := range []struct {
		name    string
		options []string
		script  string
		code    int
		want    []string // in the failure file, in this order
	}{
		{
			"out of memory",
			[]string{"-m", "64m", "--memory-swap", "64m"},
			"x = bytearray(1 << 30); x[::4096] = b'x' * (1 << 18)", 137,
			[]string{"killed by SIGKILL, out of memory (the kernel killed a process of this container)"},
		},
		{
			"disk full",
			[]string{"--tmpfs", "/opt/ml/model:size=1m"},
			"open('/opt/ml/model/m', 'wb').write(bytes(1 << 24))", 1,
			[]string{
				"OSError: [Errno 28] No space left on device\n", "exit code 1 after ",
				"no space left in /opt/ml/model\n",
			},
		},
		{
			"a traceback", nil, "raise ValueError('no data in channel train')", 1,
			[]string{
				"ValueError: no data in channel train\npython3: exit code 1 after ",
				"Traceback (most recent call last):",
			},
		},
		{
			"a secret in the traceback",
			[]string{"-e", "DB_PASSWORD=hunter2hunter2"},
			"import os; raise ValueError(os.environ['DB_PASSWORD'])", 1,
			[]string{"ValueError: ******\n"},
		},
		{
			"a core dump",
			[]string{"--ulimit", "core=-1"},
			"import os; os.abort()", 134,
			[]string{"killed by SIGABRT"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t)
			argv := []string{
				"docker", "run", "--rm", "-v", dir + ":/opt/ml", "--entrypoint", "/usr/local/bin/entrain",
			}
			argv = append(append(argv, c.options...), image, "run", "--args-style", "none", "--")
			out, code := run(t, append(argv, "python3", "-c", c.script)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, out)
			}
			rest := read(t, dir, "output/failure")
			for _, want := range c.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("the failure file lacks %q in its rest %q", want, rest)
				}
				rest = after
			}
			if strings.Contains(read(t, dir, "output/failure"), "hunter2") {
				t.Error("the failure file holds a secret")
			}
		})
	}
}

// TestInteractiveShellAsTrainer checks that bash as the trainer of docker run -it is an ordinary interactive
// shell.
func TestInteractiveShellAsTrainer(t *testing.T) {
	image := exampleImage(t)
	dir := tree(t)
	const name = "entrain-test-interactive"
	run(t, "docker", "rm", "-f", name)
	t.Cleanup(func() { run(t, "docker", "rm", "-f", name) })
	argv := func(_ *testing.T, _ string, _ []string, words ...string) []string {
		run(t, "docker", "rm", "-f", name)
		argv := []string{
			"docker", "run", "--rm", "-it", "--name", name, "-e", "PS1=prompt> ", "-v", dir + ":/opt/ml",
			"--entrypoint", "/usr/local/bin/entrain", image, "run", "--args-style", "none", "--",
		}
		return append(argv, words...)
	}
	if err := terminalSession(&bench{t: t, dir: t.TempDir(), program: initProgram{"docker", argv}}); err != nil {
		t.Error(err)
	}
}

// TestSpecInImageNeedsNoFlag checks that entrain uses /etc/entrain/training-spec.json of the image without a
// flag.
func TestSpecInImageNeedsNoFlag(t *testing.T) {
	image := exampleImage(t)
	dir := tree(t, "--hp", "lr=0.1")
	spec := filepath.Join(t.TempDir(), "spec.json")
	const params = `{"SupportedHyperParameters": [
		{"Name": "lr", "Type": "Continuous"},
		{"Name": "epochs", "Type": "Integer", "IsRequired": true}
	]}`
	if err := os.WriteFile(spec, []byte(params), 0o644); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, "docker", "run", "--rm",
		"-v", dir+":/opt/ml", "-v", spec+":/etc/entrain/training-spec.json",
		"--entrypoint", "/usr/local/bin/entrain", image, "run", "--", "true")
	failure := read(t, dir, "output/failure")
	if code != 65 || !strings.Contains(failure, `hyperparameter "epochs" is missing`) {
		t.Errorf("exit code %d, want 65\n%s\nfailure file: %q", code, out, failure)
	}
}
