package proc

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Log is the open descriptor of a log. Unlike an os.File it never raises SIGPIPE. It drops text that cannot
// be written, or that the log's reader does not read within readerTimeout: an init outlives the reader of
// its log.
type Log int

// Write writes as far as it can, and never fails.
func (l Log) Write(data []byte) (int, error) {
	const atOnce = 4096 // bytes that a pipe with room accepts without waiting: PIPE_BUF
	for rest := data; len(rest) > 0 && l.hasRoom(); {
		n := min(len(rest), atOnce)
		_ = writeAll(int(l), rest[:n])
		rest = rest[n:]
	}
	return len(data), nil
}

// hasRoom waits until the log has room for more, for a bounded time.
func (l Log) hasRoom() bool {
	for end := time.Now().Add(readerTimeout); ; {
		fds := []unix.PollFd{{Fd: int32(l), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, int(max(0, time.Until(end)).Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}
