package channel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RealPath makes a path absolute, and follows its links. Nothing needs to be there yet.
func RealPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	for range 40 { // as many links as Linux follows
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return filepath.Clean(path)
}

// FIFO returns the output to the FIFO at a path, which each epoch opens anew. It makes the FIFO if nothing is
// there, and refuses any other file. After a failure the FIFO stays open until release is called, so that its
// reader does not take the failure for the end of the data. release also removes a FIFO that was made here.
// The error is a *WriteError.
func FIFO(path string) (o *Output, release func(), err error) {
	info, err := os.Stat(path)
	made := errors.Is(err, fs.ErrNotExist)
	switch {
	case made:
		err = unix.Mkfifo(path, 0o644)
	case err == nil && info.Mode()&fs.ModeNamedPipe == 0:
		err = errors.New("it exists and is not a FIFO")
	}
	if err == nil {
		o, err = Path(path)
	}
	if err != nil {
		return nil, nil, &WriteError{Err: &fs.PathError{Op: "feed", Path: path, Err: reasonOf(err)}}
	}
	o.keep = true
	return o, func() {
		if made {
			_ = withdrawFIFO(o.path)
		}
		_ = o.close()
	}, nil
}
