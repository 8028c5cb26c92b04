package channel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/sys/unix"
)

// Output is where a stream goes.
type Output struct {
	fd       int     // -1 for a FIFO that is not open
	owned    bool    // close closes fd
	chunk    int     // the most bytes for one write(2), so that the write never waits
	isFIFO   bool    // it is the FIFO at path, and each epoch opens it anew
	path     string  // the path of the FIFO
	madeHere bool    // this process made the FIFO at path
	series   *series // for a FIFO that has another path in each epoch
	// keep says that a FIFO stays open after a failure, so that its reader does not take it for the end.
	keep bool
}

// Descriptor returns the output to a descriptor that is open already, such as standard output. It gets all
// epochs one behind the other.
func Descriptor(fd int) *Output {
	o := &Output{fd: fd, chunk: math.MaxInt}
	if isFile(fd) {
		return o
	}
	o.chunk = 4096 // PIPE_BUF: a pipe that poll(2) finds writable takes so many bytes without waiting
	if isFIFO(fd) {
		// Other processes share this open file, and do not expect O_NONBLOCK on it. So this one opens it anew.
		name := "/proc/self/fd/" + strconv.Itoa(fd)
		if own, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err == nil {
			o.fd, o.owned, o.chunk = own, true, math.MaxInt
		}
		enlargePipe(o.fd)
	}
	return o
}

// isFile reports whether a descriptor is a file or a device, but no terminal: a write to it waits for nobody.
func isFile(fd int) bool {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return true // the first write reports what is wrong with the descriptor
	}
	switch info.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFBLK:
		return true
	case unix.S_IFCHR:
		_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		return err != nil
	}
	return false
}

// Pipe makes a pipe. It returns the descriptor for the reader, and the output to the pipe.
func Pipe() (reader int, o *Output, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, fmt.Errorf("a pipe: %w", err)
	}
	enlargePipe(fds[1])
	return fds[0], &Output{fd: fds[1], owned: true, chunk: math.MaxInt}, unix.SetNonblock(fds[1], true)
}

// Path returns the output to a path. If a FIFO is there, each epoch opens it anew, so that its reader
// sees an end after each epoch. Any other file is made, or emptied, and gets all epochs. The error is a
// *WriteError.
func Path(path string) (*Output, error) {
	var info unix.Stat_t
	// EvalSymlinks fails for /dev/stdout if that is a pipe without a name. No FIFO can take the place of
	// this pipe.
	name, err := filepath.EvalSymlinks(path)
	if err == nil && unix.Lstat(name, &info) == nil && hasFIFOMode(info) {
		return &Output{fd: -1, chunk: math.MaxInt, isFIFO: true, path: name}, nil
	}
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, &WriteError{Err: &os.PathError{Op: "open", Path: path, Err: err}}
	}
	o := Descriptor(fd)
	o.owned = true
	return o, nil
}

// beginEpoch waits until a FIFO has a reader, and opens it. If more epochs follow, it then puts a new
// FIFO at the path. A reader that opens the path from now on gets the next epoch, even if the reader of
// this epoch has not closed it yet.
func (o *Output) beginEpoch(ctx context.Context, more bool, tell func(context.Context, string)) error {
	if !o.isFIFO {
		return nil
	}
	if o.series != nil && o.series.made == 0 {
		if err := o.series.makeNext(); err != nil {
			return err
		}
	}
	fd, err := waiting(ctx, "a reader of "+o.path, tell, func() (int, error) { return openWriter(ctx, o.path) })
	if err != nil {
		return err
	}
	o.fd, o.owned = fd, true
	enlargePipe(fd)
	switch {
	case !more:
		return nil
	case o.series != nil:
		return o.series.makeNext()
	}
	return o.renew()
}

// openWriter waits until a FIFO has a reader, and opens it for writing. It does not wait in open(2), because
// nothing could end that wait.
func openWriter(ctx context.Context, path string) (int, error) {
	return retry(ctx, func() (int, error) {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.EINTR) {
			err = backoff.Permanent(&WriteError{Err: &os.PathError{Op: "open", Path: path, Err: err}})
		}
		return fd, err
	})
}

// renew replaces the FIFO at path with a new one that has the same owner and mode.
func (o *Output) renew() error {
	var info unix.Stat_t
	err := unix.Fstat(o.fd, &info)
	next := o.path + ".next"
	if err == nil {
		_ = unix.Unlink(next) // an earlier process that was killed may have left it
		err = unix.Mkfifo(next, 0)
	}
	if err == nil {
		_ = unix.Chown(next, int(info.Uid), int(info.Gid)) // if it is not permitted, the owner is another one
		err = errors.Join(unix.Chmod(next, info.Mode&0o7777), unix.Rename(next, o.path))
	}
	if err != nil {
		return &WriteError{Err: fmt.Errorf("a new FIFO %s for the next epoch: %w", o.path, err)}
	}
	o.madeHere = true
	return nil
}

// finish closes the output for good after Stream has ended with err. After a failure it removes the FIFO,
// because no epoch follows. If Stream was told to stop, the FIFO stays for the process that is started
// next.
func (o *Output) finish(err error, toldToStop bool) error {
	switch {
	case o.series != nil:
		return errors.Join(err, o.close(), o.series.remove())
	case err != nil && !toldToStop && o.keep:
		return err
	case err != nil && !toldToStop:
		o.withdraw()
	}
	return errors.Join(err, o.close())
}

// withdraw removes a FIFO that gets no more epochs. A reader that waits in open(2) for a writer then goes on.
func (o *Output) withdraw() {
	if o.madeHere {
		_ = withdrawFIFO(o.path) // Stream reports the failure before this one
	}
}

// withdrawFIFO removes a FIFO. A reader that waits in open(2) for a writer then goes on.
func withdrawFIFO(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		defer func() { _ = unix.Close(fd) }()
	}
	return removeFIFO(path)
}

// endEpoch closes a FIFO, so that its reader sees the end of the epoch. unread says that the epoch has not
// begun, and that the next reader gets it: in a series this is the reader of the next FIFO.
func (o *Output) endEpoch(unread bool) error {
	if !o.isFIFO {
		return nil
	}
	err := o.close()
	if o.series != nil {
		if unread {
			err = errors.Join(err, o.series.makeNext())
		}
		o.path = o.series.next()
	}
	return err
}

// close closes fd if it is owned and open.
func (o *Output) close() error {
	if !o.owned || o.fd < 0 {
		return nil
	}
	err := unix.Close(o.fd)
	o.fd = -1
	if err != nil {
		return &WriteError{Err: err}
	}
	return nil
}

// Hold keeps a pipe open, so that its reader does not see its end, until the caller calls letGo.
func (o *Output) Hold() (letGo func(), err error) {
	fd, err := unix.FcntlInt(uintptr(o.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("holding a pipe: %w", err)
	}
	return func() { _ = unix.Close(fd) }, nil
}
