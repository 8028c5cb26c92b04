package remote

import "golang.org/x/sys/unix"

// waitable makes a stdin that can be waited for one that the runtime of the run reads, so that a read can be given up
// when nobody wants the data any more; restore undoes that, for whoever else reads there, such as a shell's loop around
// rsh. Stdout and stderr stay as they are: they are mpirun's own, and others write there who expect to block.
func waitable(stdin int) (restore func()) {
	var stat unix.Stat_t
	if unix.Fstat(stdin, &stat) != nil {
		return func() {}
	}
	kind := stat.Mode & unix.S_IFMT
	flags, err := unix.FcntlInt(uintptr(stdin), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 || kind != unix.S_IFIFO && kind != unix.S_IFSOCK || unix.SetNonblock(stdin, true) != nil {
		return func() {}
	}
	return func() { _ = unix.SetNonblock(stdin, false) }
}
