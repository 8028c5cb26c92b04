package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"entrain/bootstrap/output"
	"entrain/bootstrap/world"
)

// entry is a directory or a file that is written.
type entry struct {
	path   string
	mode   fs.FileMode // with fs.ModeDir for a directory
	empty  bool        // of a directory: it may be present, but must hold nothing
	config bool        // of a file: it is of the contract
	data   []byte      // what a file holds
	from   string      // or the file that it is a copy of
}

// writer remembers what it has written.
type writer struct {
	made  []string
	owner *syscall.Stat_t // who everything is for; nil for whom the kernel makes it
}

// write writes all of a tree, or nothing. It overwrites nothing.
func write(dir string, entries []entry) error {
	if err := free(entries); err != nil {
		return &output.Error{What: dir, Err: err}
	}
	w := &writer{owner: heir(dir)}
	err := w.dir(dir, 0o755)
	for i := 0; err == nil && i < len(entries); i++ {
		err = w.entry(entries[i])
	}
	if err == nil {
		return nil
	}
	for _, path := range slices.Backward(w.made) {
		_ = os.Remove(path) // the first error is the one that counts
	}
	return &output.Error{What: dir, Err: err}
}

// free says which places are taken.
func free(entries []entry) error {
	var taken []string
	for _, e := range entries {
		if text := e.taken(); text != "" && !slices.Contains(taken, text) {
			taken = append(taken, text)
		}
	}
	if taken == nil {
		return nil
	}
	return errors.New(strings.Join(taken, "\n") + "\nhint: name another directory, or remove what is present")
}

// taken says what is in an entry's place already. A copy's place is free if its channel's directory is empty.
func (e *entry) taken() string {
	_, err := os.Lstat(e.path)
	present := err == nil // of another error writing says more
	switch {
	case present && e.empty:
		if names, err := os.ReadDir(e.path); err == nil && len(names) > 0 {
			return e.path + " holds data already, expected an empty directory"
		}
	case present && e.config:
		return strings.TrimSuffix(filepath.Dir(e.path), "/input/config") + " holds a contract already"
	case present && !e.mode.IsDir() && e.from == "":
		return e.path + " is present already, expected no such file"
	}
	return ""
}

// heir is the owner of the directory in which a tree is made, where root writes for somebody else: from a
// container, into a directory of the user who has started it. That user could otherwise not read the key in
// .env, nor remove the tree.
func heir(dir string) *syscall.Stat_t {
	if os.Geteuid() != 0 || !world.ByEngine("/proc") {
		return nil
	}
	for {
		if info, err := os.Stat(dir); err == nil {
			owner, _ := info.Sys().(*syscall.Stat_t)
			return owner
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

func (w *writer) entry(e entry) error {
	if e.mode.IsDir() {
		return w.dir(e.path, e.mode.Perm())
	}
	if e.from == "" {
		return w.file(e.path, bytes.NewReader(e.data), e.mode)
	}
	from, err := os.Open(e.from)
	if err != nil {
		return err
	}
	defer from.Close()
	return w.file(e.path, from, e.mode)
}

// dir makes a directory and those above it. One that is present stays as it is.
func (w *writer) dir(path string, mode fs.FileMode) error {
	err := os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		if err := w.dir(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		err = os.Mkdir(path, mode)
	}
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
		return fmt.Errorf("%s is present already, expected a directory or nothing", path)
	}
	if err != nil {
		return err
	}
	w.made = append(w.made, path)
	return errors.Join(os.Chmod(path, mode), w.give(path)) // whatever the umask is
}

func (w *writer) file(path string, from io.Reader, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w.made = append(w.made, path)
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Chmod(mode), f.Close(), w.give(path))
}

// give makes something the owner's. A file system that has owners of its own may have done so already.
func (w *writer) give(path string) error {
	if w.owner == nil {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if now, ok := info.Sys().(*syscall.Stat_t); ok && now.Uid == w.owner.Uid && now.Gid == w.owner.Gid {
		return nil
	}
	return os.Lchown(path, int(w.owner.Uid), int(w.owner.Gid))
}
