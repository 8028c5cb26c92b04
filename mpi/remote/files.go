package remote

import (
	"os"

	"golang.org/x/sys/unix"
)

// received makes a file of a descriptor that another process sent. A stdin that can be waited for is read by the
// runtime, so that a read can be given up when nobody wants the data any more. Others stay as they are: what the
// descriptors refer to is shared, and others may write there who expect to block.
func received(i, fd int) *os.File {
	if i == 0 && isStream(fd) {
		_ = unix.SetNonblock(fd, true)
	}
	return os.NewFile(uintptr(fd), "received")
}

func isStream(fd int) bool {
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil {
		return false
	}
	kind := stat.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}

// block undoes received, for whoever else reads there: a shell's loop around rsh.
func block(file *os.File) {
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetNonblock(int(fd), false) })
}
