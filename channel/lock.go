package channel

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// InUseError says that another process reads a channel.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return e.Path + ": another process of entrain reads this channel, " +
		"and each byte would go to only one of the two\n" +
		"hint: end the other one first, or share its output with tee(1)"
}

// lock keeps other processes from reading the channel with this prefix until unlock is called or this process
// ends. The lock is the name of a socket, because the directory of the FIFOs may be read-only. It reaches
// all processes with the same network, which those of a container are. For the others lockFIFO does the
// same, once there is a FIFO. A directory that does not exist yet cannot be locked.
func lock(prefix string) (unlock func(), err error) {
	var dir unix.Stat_t
	if unix.Stat(filepath.Dir(prefix), &dir) != nil {
		return func() {}, nil //nolint:nilerr // the FIFO will tell
	}
	key := fmt.Sprintf("%d %d %s", dir.Dev, dir.Ino, filepath.Base(prefix))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return func() {}, nil //nolint:nilerr // the FIFO will tell
	}
	name := &unix.SockaddrUnix{Name: fmt.Sprintf("@entrain-channel-%x", sha256.Sum256([]byte(key)))}
	if err := unix.Bind(fd, name); errors.Is(err, unix.EADDRINUSE) {
		_ = unix.Close(fd)
		return nil, &InUseError{Path: prefix}
	}
	return func() { _ = unix.Close(fd) }, nil
}

// lockFIFO keeps other processes from reading an open FIFO until it is closed. An error but that of a FIFO
// which another process has locked does not matter: some file systems have no locks.
func lockFIFO(fd int, path string) error {
	if errors.Is(unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return &InUseError{Path: path}
	}
	return nil
}
