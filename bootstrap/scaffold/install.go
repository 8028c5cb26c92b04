package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"entrain/bootstrap/output"
)

// Install copies a program so that nobody ever runs half of it: a running program cannot be written to, but its
// name can be given to another. A name that ends with a slash is a directory's, which is made.
func Install(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if info, err := os.Stat(to); strings.HasSuffix(to, "/") || err == nil && info.IsDir() {
		to = filepath.Join(to, filepath.Base(from))
	}
	return output.Atomically(to, in, 0o555)
}
