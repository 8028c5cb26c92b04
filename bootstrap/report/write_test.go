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

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestWrite: the failure file is written once, never over the trainer's own, and not where there is no contract.
func TestWrite(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "output/failure")
	put(t, filepath.Join(root, "input/config/x"), "")
	wrong := &plan.UsageError{Err: os.ErrInvalid}
	read := func() string {
		data, _ := os.ReadFile(file)
		return string(data)
	}
	if err := Write(root, contract.Secrets{}.Mask, nil); err != nil || read() != "" {
		t.Errorf("no error left %q, %v", read(), err)
	}
	if err := Write(root, contract.Secrets{}.Mask, wrong); ExitCode(err) != CodeUsage || read() != "invalid argument" {
		t.Errorf("left %q, %v", read(), err)
	}
	put(t, file, "the trainer's words")
	failed := &proc.ExitError{Program: "x", Exit: proc.Exit{Code: 3}}
	if err := Write(root, contract.Secrets{}.Mask, failed); ExitCode(err) != 3 || read() != "the trainer's words" {
		t.Errorf("left %q, %v", read(), err)
	}
	if err := Write(root, contract.Secrets{}.Mask, wrong); ExitCode(err) != CodeUsage || read() != "invalid argument" {
		t.Errorf("kept %q though no trainer ran, %v", read(), err)
	}
	put(t, file, "")
	if _ = Write(root, contract.Secrets{}.Mask, failed); read() == "" {
		t.Errorf("an empty file was kept")
	}
	if err := Write(filepath.Join(root, "nowhere"), contract.Secrets{}.Mask, wrong); ExitCode(err) != CodeUsage {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, "output", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	put(t, filepath.Join(root, "file/input/config/x"), "")
	put(t, filepath.Join(root, "file/output"), "")
	if err := Write(filepath.Join(root, "file"), contract.Secrets{}.Mask, wrong); ExitCode(err) != CodeUsage || !strings.Contains(err.Error(), "cannot write the failure file ") {
		t.Errorf("a failure file that cannot be written is not said: %v", err)
	}
}
