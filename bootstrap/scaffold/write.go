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

// entry is a directory or a file to write.
type entry struct {
	path        string
	mode        fs.FileMode // with fs.ModeDir for a directory
	mustBeEmpty bool        // for a directory: if it exists already, it must be empty
	isContract  bool        // for a file: it is one of the contract's files
	data        []byte      // for a file: its content
	copyOf      string      // for a file: the path of the file with its content, in place of data
}

// writer writes entries and remembers them.
type writer struct {
	created []string        // the paths of the files and directories that it has made
	owner   *syscall.Stat_t // the owner of all that it makes; nil for the owner that the kernel chooses
}

// writeEntries writes all entries below dir, or nothing. It never overwrites a file.
func writeEntries(dir string, entries []entry) error {
	if err := refuseExisting(entries); err != nil {
		return &output.Error{What: dir, Err: err}
	}
	w := &writer{owner: ownerOf(dir)}
	err := w.makeDir(dir, 0o755)
	for i := 0; err == nil && i < len(entries); i++ {
		err = w.makeEntry(entries[i])
	}
	if err == nil {
		return nil
	}
	for _, path := range slices.Backward(w.created) {
		_ = os.Remove(path) // the first error is reported, not this one
	}
	return &output.Error{What: dir, Err: err}
}

// refuseExisting returns an error that says what exists already in place of the entries.
func refuseExisting(entries []entry) error {
	var conflicts []string
	for _, e := range entries {
		if text := e.conflict(); text != "" && !slices.Contains(conflicts, text) {
			conflicts = append(conflicts, text)
		}
	}
	if conflicts == nil {
		return nil
	}
	return errors.New(strings.Join(conflicts, "\n") +
		"\nhint: name another directory, or remove what is present")
}

// conflict says what exists already in place of an entry. It is empty if the entry can be written. It does
// not check copies: their channel's directory must be empty.
func (e *entry) conflict() string {
	_, err := os.Lstat(e.path)
	present := err == nil // writing the entry reports any other error better
	switch {
	case present && e.mustBeEmpty:
		if names, err := os.ReadDir(e.path); err == nil && len(names) > 0 {
			return e.path + " holds data already, expected an empty directory"
		}
	case present && e.isContract:
		return strings.TrimSuffix(filepath.Dir(e.path), "/input/config") + " holds a contract already"
	case present && !e.mode.IsDir() && e.copyOf == "":
		return e.path + " is present already, expected no such file"
	}
	return ""
}

// ownerOf returns the owner of dir, or of the nearest directory above it that exists, if root writes from a
// container into a user's directory. Otherwise that user could neither read the key in .env nor remove the
// tree. In all other cases ownerOf returns nil.
func ownerOf(dir string) *syscall.Stat_t {
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

func (w *writer) makeEntry(e entry) error {
	if e.mode.IsDir() {
		return w.makeDir(e.path, e.mode.Perm())
	}
	if e.copyOf == "" {
		return w.makeFile(e.path, bytes.NewReader(e.data), e.mode)
	}
	original, err := os.Open(e.copyOf)
	if err != nil {
		return err
	}
	defer original.Close()
	return w.makeFile(e.path, original, e.mode)
}

// makeDir makes a directory and the directories above it. A directory that exists stays as it is.
func (w *writer) makeDir(path string, mode fs.FileMode) error {
	err := os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		if err := w.makeDir(filepath.Dir(path), 0o755); err != nil {
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
	w.created = append(w.created, path)
	return errors.Join(os.Chmod(path, mode), w.giveToOwner(path)) // Mkdir takes the umask away from the mode
}

// makeFile makes a file with the content that from has.
func (w *writer) makeFile(path string, from io.Reader, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w.created = append(w.created, path)
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Chmod(mode), f.Close(), w.giveToOwner(path))
}

// giveToOwner changes the owner of a file or directory. It does nothing if the owner is right already,
// because some file systems choose owners by themselves and refuse a change.
func (w *writer) giveToOwner(path string) error {
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
