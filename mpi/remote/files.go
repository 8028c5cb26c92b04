package remote

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// waitable makes of a stdin one that the runtime of the run can wait for, so that a read can be given up when nobody
// wants the data any more. Whoever else reads there, such as a shell's loop around rsh, expects to block: a pipe is
// opened once more, for flags of its own, which need no rsh to live until it can restore them. A socket cannot be.
// Stdout and stderr stay as they are: they are mpirun's own, and others write there who expect to block.
func waitable(stdin int) (own int, release func()) {
	nothing := func() {}
	var stat unix.Stat_t
	if unix.Fstat(stdin, &stat) != nil {
		return stdin, nothing
	}
	kind := stat.Mode & unix.S_IFMT
	flags, err := unix.FcntlInt(uintptr(stdin), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 || kind != unix.S_IFIFO && kind != unix.S_IFSOCK {
		return stdin, nothing
	}
	if kind == unix.S_IFIFO {
		own, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", stdin), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return own, func() { _ = unix.Close(own) }
		}
	}
	if unix.SetNonblock(stdin, true) != nil {
		return stdin, nothing
	}
	return stdin, func() { _ = unix.SetNonblock(stdin, false) }
}
