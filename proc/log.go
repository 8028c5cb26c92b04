package proc

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Log is an open descriptor for a log. Unlike an os.File it never raises SIGPIPE, and it drops what cannot be written,
// or what nobody takes for a while: an init outlives the reader of its log.
type Log int

// Write is an io.Writer's.
func (l Log) Write(data []byte) (int, error) {
	const atomic = 4096 // bytes that a pipe which has room takes without waiting: PIPE_BUF
	for rest := data; len(rest) > 0 && l.hasRoom(); {
		n := min(len(rest), atomic)
		_ = writeAll(int(l), rest[:n])
		rest = rest[n:]
	}
	return len(data), nil
}

func (l Log) hasRoom() bool {
	for end := time.Now().Add(stuck); ; {
		fds := []unix.PollFd{{Fd: int32(l), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, int(max(0, time.Until(end)).Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}
