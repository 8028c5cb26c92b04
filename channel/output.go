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
	fd     int    // -1 for a FIFO that is not open
	own    bool   // fd is closed at the end
	chunk  int    // bytes that are written at once, so that no write waits where nothing can end it
	isFIFO bool   // at path: each epoch is one opening of it
	path   string // of a FIFO
	ours   bool   // what is at path was made here
}

// Descriptor is one that the process was started with, such as standard output. All epochs go there, one behind the other.
func Descriptor(fd int) *Output {
	o := &Output{fd: fd, chunk: math.MaxInt}
	if isFile(fd) {
		return o
	}
	o.chunk = 4096 // PIPE_BUF: what has room takes as much without waiting
	if isFIFO(fd) {
		// What O_NONBLOCK is set on is shared with others, who may not expect it; a description of our own is not.
		if own, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err == nil {
			o.fd, o.own, o.chunk = own, true, math.MaxInt
		}
		enlarge(o.fd)
	}
	return o
}

// isFile says whether writing to a descriptor waits for nobody: to a file or a device, but not to a terminal.
func isFile(fd int) bool {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return true // what is wrong with it shows when it is written to
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

// Pipe is a new pipe, and the descriptor that its reader reads.
func Pipe() (reader int, o *Output, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, fmt.Errorf("a pipe: %w", err)
	}
	enlarge(fds[1])
	return fds[0], &Output{fd: fds[1], own: true, chunk: math.MaxInt}, unix.SetNonblock(fds[1], true)
}

// Path is a file, which is made or emptied, or a FIFO that somebody else reads. Every epoch of a FIFO has an end of
// its own.
func Path(path string) (*Output, error) {
	var info unix.Stat_t
	name, err := filepath.EvalSymlinks(path) // of /dev/stdout there is none, and nothing may take its place
	if err == nil && unix.Lstat(name, &info) == nil && info.Mode&unix.S_IFMT == unix.S_IFIFO {
		return &Output{fd: -1, chunk: math.MaxInt, isFIFO: true, path: name}, nil
	}
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, &WriteError{Err: &os.PathError{Op: "open", Path: path, Err: err}}
	}
	o := Descriptor(fd)
	o.own = true
	return o, nil
}

// begin opens a FIFO as soon as it has a reader. Where more epochs follow it then gives the path a new FIFO: whoever opens
// it from now on wants the next epoch, also where the one who reads this one has not yet closed it.
func (o *Output) begin(ctx context.Context, more bool, tell func(context.Context, string)) error {
	if !o.isFIFO {
		return nil
	}
	fd, err := waiting(ctx, "a reader of "+o.path, tell, func() (int, error) { return openWriter(ctx, o.path) })
	if err != nil {
		return err
	}
	o.fd, o.own = fd, true
	enlarge(fd)
	if !more {
		return nil
	}
	return o.renew()
}

// openWriter opens a FIFO for writing once it has a reader; to wait for one in open(2) could not be given up.
func openWriter(ctx context.Context, path string) (int, error) {
	return retry(ctx, func() (int, error) {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.EINTR) {
			err = backoff.Permanent(&WriteError{Err: &os.PathError{Op: "open", Path: path, Err: err}})
		}
		return fd, err
	})
}

// renew puts a FIFO like the old one in its place.
func (o *Output) renew() error {
	var info unix.Stat_t
	err := unix.Fstat(o.fd, &info)
	next := o.path + ".next"
	if err == nil {
		_ = unix.Unlink(next) // of one that was killed
		err = unix.Mkfifo(next, 0)
	}
	if err == nil {
		_ = unix.Chown(next, int(info.Uid), int(info.Gid)) // as far as we may
		err = errors.Join(unix.Chmod(next, info.Mode&0o7777), unix.Rename(next, o.path))
	}
	if err != nil {
		return &WriteError{Err: fmt.Errorf("a new FIFO %s for the next epoch: %w", o.path, err)}
	}
	o.ours = true
	return nil
}

// finish closes the output for good. Of one that was told to stop the FIFO stays, for the one that is started next.
func (o *Output) finish(err error, told bool) error {
	if err != nil && !told {
		o.withdraw()
	}
	return errors.Join(err, o.close())
}

// withdraw takes away a FIFO that gets no epoch any more, and lets go whoever waits in opening it.
func (o *Output) withdraw() {
	if !o.ours {
		return
	}
	fd, err := unix.Open(o.path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	_ = unix.Unlink(o.path) // what failed before is what is told
	if err == nil {
		_ = unix.Close(fd)
	}
}

// end is an epoch's.
func (o *Output) end() error {
	if !o.isFIFO {
		return nil
	}
	return o.close()
}

func (o *Output) close() error {
	if !o.own || o.fd < 0 {
		return nil
	}
	err := unix.Close(o.fd)
	o.fd = -1
	if err != nil {
		return &WriteError{Err: err}
	}
	return nil
}

// Hold keeps the reader of a pipe from seeing its end until it is let go.
func (o *Output) Hold() (letGo func(), err error) {
	fd, err := unix.FcntlInt(uintptr(o.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("holding a pipe: %w", err)
	}
	return func() { _ = unix.Close(fd) }, nil
}
