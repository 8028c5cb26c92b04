package remote

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openPipe opens the pipe behind a descriptor of another process of this user, for reading. It returns nil
// where that is no pipe, or the process is gone.
func openPipe(pid, descriptor int) *os.File {
	path := fmt.Sprintf("/proc/%d/fd/%d", pid, descriptor)
	if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	return f
}

// readRest reads what is in a pipe whose reader was killed. A process that still holds the other end may
// write more: after restTimeout nobody waits for that.
func readRest(pipe *os.File) []byte {
	if pipe == nil || pipe.SetReadDeadline(time.Now().Add(restTimeout)) != nil {
		return nil
	}
	rest, _ := io.ReadAll(io.LimitReader(pipe, maxRest)) // an error ends the wait alone
	return rest
}

// maxRest bounds what readRest reads, in bytes. The pipe itself holds less.
const maxRest = 4 << 20
