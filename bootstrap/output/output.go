// Package output writes the files that entrain leaves for others: nobody reads half of one, a full disk loses nothing that
// was written, and no reader that never comes holds the job.
package output

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Atomically writes by way of a temporary file: nobody reads half of it, whenever this process ends. A link is
// followed, and what is no file, such as /dev/stdout, is written to.
func Atomically(path string, from io.Reader, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return into(path, from)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // /opt/ml is for everybody to read
		return &Error{What: path, Err: err}
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return &Error{What: path, Err: err}
	}
	_, err = io.Copy(f, from)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return &Error{What: path, Err: errors.Join(err, os.Remove(f.Name()))}
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

// Now writes to what is no file, such as a link to /dev/stdout, and never waits for a reader.
func Now(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return &Error{Err: err}
	}
	_ = f.SetWriteDeadline(time.Now().Add(readerBound)) // a terminal has none, and takes all
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return &Error{Err: err}
	}
	return nil
}

func into(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return &Error{What: path, Err: err}
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return &Error{What: path, Err: err}
	}
	return nil
}

// Over writes a file where it is, for want of room for another, and cuts what was longer. What was there goes only as
// far as something else has come.
func Over(path, text string) error {
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

// readerBound is how long a write to something that is no file may wait for whoever reads it.
const readerBound = time.Second

// Error is an output that could not be written.
type Error struct {
	What string // such as its path, never that of a temporary file
	Err  error
}

func (e *Error) Error() string {
	return "cannot write " + cmp.Or(e.What, "an output") + ": " + Reason(e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Reason is the text of an error without the call and the path that had it.
func Reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
