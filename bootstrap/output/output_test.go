package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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

// TestWriteAtomically: a link stays a link, and what is no file is written to, not replaced.
func TestWriteAtomically(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "real"), "old")
	link := filepath.Join(dir, "link")
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, "/dev/null"} {
		if err := Atomically(path, strings.NewReader("new"), 0o600); err != nil {
			t.Error(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "real"))
	if info, statErr := os.Lstat(link); err != nil || statErr != nil || string(data) != "new" || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%q, %v, %v, %v", data, err, info, statErr)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/null is %v now, %v", info.Mode(), err)
	}
}
