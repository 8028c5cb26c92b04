package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"entrain/bootstrap/output"
)

// Install copies a program to another path, with permissions 0555. If to is a directory or ends with a slash,
// the program keeps its name in that directory. Install makes missing directories. The new file gets its name
// only when it is complete, so nobody ever runs a part of it. So Install can also replace a program that is
// running: the kernel refuses to write to its file, but not to give its name to another file.
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
