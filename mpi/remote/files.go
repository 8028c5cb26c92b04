package remote

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pollableStdin gives a file descriptor of stdin on which the run can wait without a thread, so that it can
// give up a read when nobody wants the data any more. release undoes what pollableStdin did.
//
// Other processes read the same stdin, such as a shell's loop around rsh, and expect that reads block. So a
// pipe is opened once more, which gives the new descriptor flags of its own: nothing has to be restored, even
// when the rsh is killed. A socket cannot be opened again: its own flag is set, and restored by release.
// stdout and stderr keep their flags: they are mpirun's, and others who write there expect that writes block.
func pollableStdin(stdin int) (fd int, release func()) {
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
		path := fmt.Sprintf("/proc/self/fd/%d", stdin)
		reopened, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return reopened, func() { _ = unix.Close(reopened) }
		}
	}
	if unix.SetNonblock(stdin, true) != nil {
		return stdin, nothing
	}
	return stdin, func() { _ = unix.SetNonblock(stdin, false) }
}

// pipes makes a daemon's stdin, stdout and stderr. ours are the ends of this process. theirs are the daemon's
// ends, whose reads and writes block.
func pipes() (ours, theirs [3]*os.File, err error) {
	for i := range ours {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			closeAll(ours)
			closeAll(theirs)
			return ours, theirs, fmt.Errorf("pipe: %w", err)
		}
		our, their := fds[0], fds[1]
		if i == 0 {
			our, their = their, our
		}
		_ = unix.SetNonblock(our, true) // so that the Go runtime waits for it without a thread
		ours[i], theirs[i] = os.NewFile(uintptr(our), "|"), os.NewFile(uintptr(their), "|")
	}
	return ours, theirs, nil
}

// closeAll closes the files that are not nil.
func closeAll(files [3]*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
