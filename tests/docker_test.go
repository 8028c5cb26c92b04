// Package tests holds the tests that need more than one room, such as those with containers, and the test
// data that the tests of several rooms share.
package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// top is the root of the repository.
const top = ".."

// skip skips a test and says why. With REQUIRE_DOCKER=1, as in CI, the test fails instead.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("REQUIRE_DOCKER") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// needDocker skips a test if no Docker engine answers.
func needDocker(t *testing.T) {
	t.Helper()
	out, err := exec.Command("docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput()
	if err != nil {
		skip(t, fmt.Sprintf("no Docker engine: %v: %.200s", err, bytes.TrimSpace(out)))
	}
}

// needProgram skips a test if a program is not installed. The packages of Debian are those that have it.
func needProgram(t *testing.T, program, packages string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		skip(t, fmt.Sprintf("%s is not installed: apt-get install %s", program, packages))
	}
}

// needRoot skips a test if it does not run as root. The reason says what root is for.
func needRoot(t *testing.T, reason string) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root "+reason)
	}
}

// must runs a command in the repository and returns its output. The test fails if the exit code is not 0.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	out, code := run(t, argv...)
	if code != 0 {
		t.Fatalf("%s: exit code %d\n%s", strings.Join(argv, " "), code, out)
	}
	return out
}

// run runs a command in the repository and returns its stdout and stderr, and its exit code.
func run(t *testing.T, argv ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = top
	data, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(data), cmd.ProcessState.ExitCode()
}

// exampleImage builds Dockerfile.example once and returns the name of the image.
func exampleImage(t *testing.T) string {
	t.Helper()
	needDocker(t)
	if err := buildExample(); err != nil {
		t.Fatal(err)
	}
	return "entrain-test-example"
}

var buildExample = sync.OnceValue(func() error {
	for _, argv := range [][]string{
		{"scripts/build"},
		{"scripts/base-image", "bookworm", "debian:bookworm-slim"},
		{"docker", "build", "-q", "-f", "Dockerfile.example", "-t", "entrain-test-example", "."},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", argv, err, out)
		}
	}
	return nil
})

// tree returns a directory with a contract that scaffold made from the flags, and with training data.
func tree(t *testing.T, flags ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ml")
	args := append([]string{"dist/entrain", "scaffold", "--channel", "train"}, flags...)
	must(t, append(args, dir)...)
	points := filepath.Join(dir, "input/data/train/points")
	if err := os.WriteFile(points, []byte("1 3\n2 5\n3 7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// read returns the text of a file, or "" if there is no such file.
func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// TestDockerfileExample builds the image as a user does, and runs it as the platform does.
func TestDockerfileExample(t *testing.T) {
	image := exampleImage(t)
	platform := func(dir string) []string {
		return []string{
			"docker", "run", "--rm", "-v", dir + ":/opt/ml", "-e", "TRAINING_JOB_NAME=job-1", image, "train",
		}
	}

	t.Run("trains", func(t *testing.T) {
		dir := tree(t, "--hp", "lr=0.05", "--hp", "epochs=200")
		out := must(t, platform(dir)...)
		var saw struct {
			Argv []string
			Hps  map[string]float64
			Rank string
		}
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, "{") {
				if err := json.Unmarshal([]byte(line), &saw); err != nil {
					t.Fatal(err)
				}
			}
		}
		argv := strings.Join(saw.Argv, " ")
		if argv != "--epochs 200 --lr 0.05" || saw.Hps["lr"] != 0.05 || saw.Rank != "0" {
			t.Errorf("the trainer saw %+v in\n%s", saw, out)
		}
		if model := read(t, dir, "model/model.json"); !strings.HasPrefix(model, `{"a": 2.00`) {
			t.Errorf("model: %q", model)
		}
		if failure := read(t, dir, "output/failure"); failure != "" {
			t.Errorf("failure file: %q", failure)
		}
	})

	t.Run("fails with the trainer's code", func(t *testing.T) {
		dir := tree(t, "--hp", "fail-with=7")
		if out, code := run(t, platform(dir)...); code != 7 {
			t.Errorf("exit code %d\n%s", code, out)
		}
		if failure := read(t, dir, "output/failure"); !strings.Contains(failure, "exit code 7") {
			t.Errorf("failure file: %q", failure)
		}
	})

	t.Run("says what is wrong with the contract", func(t *testing.T) {
		dir := tree(t)
		if err := os.RemoveAll(filepath.Join(dir, "input/data/train")); err != nil {
			t.Fatal(err)
		}
		out, code := run(t, platform(dir)...)
		want := `inputdataconfig.json:1:2: channel "train": /opt/ml/input/data/train is missing`
		if code != 65 || !strings.Contains(out, want) || !strings.Contains(read(t, dir, "output/failure"), want) {
			t.Errorf("exit code %d\n%s\nfailure file: %q", code, out, read(t, dir, "output/failure"))
		}
	})

	// On docker stop the trainer saves its checkpoint and ends by itself.
	execWords := []string{"exec", "--", "python3", "/opt/train.py", "train"}
	for _, c := range []struct {
		name           string
		options, words []string
	}{
		{"stops under run as PID 1", nil, []string{"train"}},
		{"stops under exec", []string{"--entrypoint", "/usr/local/bin/entrain"}, execWords},
		{
			"stops under exec and Docker's init",
			[]string{"--init", "--entrypoint", "/usr/local/bin/entrain"},
			execWords,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, "--hp", "linger=600")
			options := append([]string{"-v", dir + ":/opt/ml", "-e", "TRAINING_JOB_NAME=job-1"}, c.options...)
			id := start(t, options, image, c.words...)
			eventually(t, "the trainer is at work", func() bool {
				logs, _ := run(t, "docker", "logs", id)
				return strings.Contains(logs, "trained")
			})
			must(t, "docker", "stop", "-t", "60", id)
			code := must(t, "docker", "inspect", "-f", "{{.State.ExitCode}}", id)
			if code = strings.TrimSpace(code); code != "0" {
				t.Errorf("exit code %s, want the trainer's 0", code)
			}
			if read(t, dir, "model/checkpoint.json") == "" {
				t.Error("the trainer saved no checkpoint")
			}
		})
	}
}

// start runs a container in the background. It is removed when the test ends.
func start(t *testing.T, options []string, image string, words ...string) (id string) {
	t.Helper()
	argv := append([]string{"docker", "run", "-d"}, options...)
	out := strings.TrimSpace(must(t, append(append(argv, image), words...)...))
	id = out[strings.LastIndexByte(out, '\n')+1:]
	t.Cleanup(func() { run(t, "docker", "rm", "-f", id) })
	return id
}

// eventually waits for a condition, at most a minute. The test fails if it does not come true.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return
		}
	}
	t.Fatalf("did not come true within a minute: %s", what)
}
