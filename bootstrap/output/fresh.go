package output

import (
	"errors"
	"io/fs"
	"os"
)

// Fresh writes a small file for everybody to read, which lasts until remove is called. It replaces the file
// of an earlier run, and follows no link: another user may have made one. The error is an *Error.
func Fresh(path, text string) (remove func(), err error) {
	if err = os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{What: path, Err: err}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // for everybody
	if err != nil {
		return nil, &Error{What: path, Err: err}
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, &Error{What: path, Err: errors.Join(err, os.Remove(path))}
	}
	return func() { _ = os.Remove(path) }, nil // the container usually ends then
}
