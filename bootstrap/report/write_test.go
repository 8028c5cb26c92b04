package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/proc"
)

// put writes a file and makes its directory.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestWriteLeavesFailureFileOfTrainer also checks that Write replaces a file if no trainer has run, that
// it writes nothing if there is no contract, and that it leaves no other files.
func TestWriteLeavesFailureFileOfTrainer(t *testing.T) {
	mask := contract.Secrets{}.Mask
	root := t.TempDir()
	file := filepath.Join(root, "output/failure")
	put(t, filepath.Join(root, "input/config/x"), "")
	wrong := &plan.UsageError{Err: os.ErrInvalid}
	read := func() string {
		data, _ := os.ReadFile(file)
		return string(data)
	}
	if err := Write(root, mask, nil); err != nil || read() != "" {
		t.Errorf("without an error: %q, %v", read(), err)
	}
	if err := Write(root, mask, wrong); ExitCode(err) != CodeUsage || read() != "invalid argument" {
		t.Errorf("left %q, %v", read(), err)
	}
	put(t, file, "the trainer's words")
	failed := &proc.ExitError{Program: "x", Exit: proc.Exit{Code: 3}}
	if err := Write(root, mask, failed); ExitCode(err) != 3 || read() != "the trainer's words" {
		t.Errorf("left %q, %v", read(), err)
	}
	if err := Write(root, mask, wrong); ExitCode(err) != CodeUsage || read() != "invalid argument" {
		t.Errorf("kept %q though no trainer ran, %v", read(), err)
	}
	put(t, file, "")
	if _ = Write(root, mask, failed); read() == "" {
		t.Errorf("an empty file was kept")
	}
	if err := Write(filepath.Join(root, "nowhere"), mask, wrong); ExitCode(err) != CodeUsage {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, "output", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	put(t, filepath.Join(root, "file/input/config/x"), "")
	put(t, filepath.Join(root, "file/output"), "")
	err := Write(filepath.Join(root, "file"), mask, wrong)
	if ExitCode(err) != CodeUsage || !strings.Contains(err.Error(), "cannot write the failure file ") {
		t.Errorf("the error does not say that the failure file cannot be written: %v", err)
	}
}
