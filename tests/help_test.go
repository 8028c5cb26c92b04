package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelpExamples runs the examples of the help, word for word. It builds the lines of a Dockerfile, and
// runs the others by a shell in a directory with data and a trainer.
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
	for heading, lines := range examples {
		cmd := exec.Command("sh", "-euc", lines)
		if strings.Contains(heading, "Dockerfile") {
			cmd = exec.Command("docker", "build", "-q", "-f", "-", ".")
			cmd.Stdin = strings.NewReader("FROM entrain-test-example\n" + lines)
		}
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+distDir(t)+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s%s", heading, err, lines, out)
		}
	}
}

// helpExamples returns the examples of a help text by their headings.
func helpExamples(help string) map[string]string {
	examples := map[string]string{}
	heading := ""
	for line := range strings.Lines(help) {
		switch {
		case strings.HasPrefix(line, "EXAMPLE"):
			heading = strings.TrimSpace(line)
		case strings.TrimSpace(line) == "":
			heading = ""
		case heading != "":
			examples[heading] += strings.TrimPrefix(line, "  ")
		}
	}
	return examples
}
