package bootstrap

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// writeAtomically writes by way of a temporary file: nobody reads half of it, whenever this process ends. A link is
// followed, and what is no file, such as /dev/stdout, is written to.
func writeAtomically(path string, from io.Reader, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeInto(path, from)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // /opt/ml is for everybody to read
		return &OutputError{What: path, Err: err}
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return &OutputError{What: path, Err: err}
	}
	_, err = io.Copy(f, from)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return &OutputError{What: path, Err: errors.Join(err, os.Remove(f.Name()))}
	}
	syncDir(dir)
	return nil
}

// syncDir makes a new name in a directory outlive the machine. A file system that has no such call keeps what it keeps.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

// writeNow writes to what is no file, such as a link to /dev/stdout, and never waits for a reader.
func writeNow(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return &OutputError{Err: err}
	}
	_ = f.SetWriteDeadline(time.Now().Add(giveUp)) // a terminal has none, and takes all
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return &OutputError{Err: err}
	}
	return nil
}

func writeInto(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return &OutputError{What: path, Err: err}
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return &OutputError{What: path, Err: err}
	}
	return nil
}

// writeOver writes a file where it is, for want of room for another, and cuts what was longer. What was there goes only as
// far as something else has come.
func writeOver(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // /opt/ml is for everybody to read
	if err != nil {
		return err
	}
	n, err := f.WriteString(text)
	if n > 0 {
		err = errors.Join(err, f.Truncate(int64(n)), f.Sync())
	}
	return errors.Join(err, f.Close())
}
