package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelpExamples runs what the help shows, word for word: the lines of a Dockerfile in an image, the others in a
// shell beside some data and a trainer.
func TestHelpExamples(t *testing.T) {
	needDocker(t)
	if err := buildExample(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"data/points.txt": "1 3\n", "train.py": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "cp", "dist/entrain", dir)
	examples := helpExamples(must(t, "dist/entrain", "--help"))
	if len(examples) != 2 {
		t.Fatalf("%d examples: %q", len(examples), examples)
	}
	for head, lines := range examples {
		cmd := exec.Command("sh", "-euc", lines)
		if strings.Contains(head, "Dockerfile") {
			cmd = exec.Command("docker", "build", "-q", "-f", "-", ".")
			cmd.Stdin = strings.NewReader("FROM entrain-test-example\n" + lines)
		}
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+distDir(t)+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s%s", head, err, lines, out)
		}
	}
}

// helpExamples are the examples of a help text by their heads.
func helpExamples(help string) map[string]string {
	examples := map[string]string{}
	head := ""
	for line := range strings.Lines(help) {
		switch {
		case strings.HasPrefix(line, "EXAMPLE"):
			head = strings.TrimSpace(line)
		case strings.TrimSpace(line) == "":
			head = ""
		case head != "":
			examples[head] += strings.TrimPrefix(line, "  ")
		}
	}
	return examples
}
