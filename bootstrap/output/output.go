// Package output writes the files that entrain leaves for others. Nobody reads half of a file. A full disk
// loses nothing that was written before. A FIFO without a reader does not hold up the job.
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

// Atomically writes a file with the given mode, and makes its directory. It writes a temporary file first and
// renames it, so nobody reads half of the file, even if this process ends meanwhile. It follows links. Into a
// path that is no regular file, such as /dev/stdout, it writes directly. The error is an *Error.
func Atomically(path string, from io.Reader, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return copyInto(path, from)
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

// syncDir makes the names in a directory survive a crash of the machine. Errors are ignored, since some file
// systems cannot do this.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

// ToDevice writes to a path that exists and is no regular file, such as a FIFO or a link to /dev/stdout. It
// waits no longer than readerBound for a reader. The error is an *Error without a path.
func ToDevice(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return &Error{Err: err}
	}
	_ = f.SetWriteDeadline(time.Now().Add(readerBound)) // fails for a terminal, which never blocks for long
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return &Error{Err: err}
	}
	return nil
}

// copyInto writes into a path that exists and is no regular file.
func copyInto(path string, from io.Reader) error {
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

// InPlace writes a file on a disk that has no room for a second file. It overwrites in place and truncates
// afterwards, so a failed write leaves the rest of the old text.
func InPlace(path, text string) error {
	const flags = os.O_WRONLY | os.O_CREATE
	f, err := os.OpenFile(path, flags, 0o644) //nolint:gosec // /opt/ml is for everybody to read
	if err != nil {
		return err
	}
	n, err := f.WriteString(text)
	if n > 0 {
		err = errors.Join(err, f.Truncate(int64(n)), f.Sync())
	}
	return errors.Join(err, f.Close())
}

// readerBound is how long ToDevice waits for a reader that does not read. A reader that works needs
// milliseconds. It must be shorter than report's reportBound.
const readerBound = time.Second

// Error says that an output could not be written.
type Error struct {
	What string // the output, usually its path; never the path of a temporary file
	Err  error
}

func (e *Error) Error() string {
	return "cannot write " + cmp.Or(e.What, "an output") + ": " + Reason(e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Reason is the text of an error without the name of the system call and without the path.
func Reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
