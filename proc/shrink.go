package proc

import (
	"cmp"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// shrinkAfter is when a program has run long enough to say that the memory belongs to it. What ends sooner is not kept
// waiting for our housekeeping.
const shrinkAfter = 250 * time.Millisecond

// memoryLimit is what the runtime may use before it collects garbage harder, in bytes.
const memoryLimit = 32 << 20

// shrink gives back what starting needed: the heap, and the pages of this program's own file, most of which the
// supervisor never looks at again. The kernel reads a page anew when it is needed after all.
func shrink(limit int64) {
	debug.SetMemoryLimit(cmp.Or(limit, memoryLimit))
	debug.FreeOSMemory()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		// from-to rwxp offset device inode path
		fields := strings.Fields(line)
		if len(fields) == 6 && fields[5] == self && fields[1] == "r-xp" {
			drop(fields[0])
		}
	}
}

// drop takes a range of addresses out of memory. It may only be of a mapping that nobody has written to: the loader of a
// PIE writes addresses into what is read-only later, but never into the program's code.
func drop(addresses string) {
	first, last, _ := strings.Cut(addresses, "-")
	from, err1 := strconv.ParseUint(first, 16, 64)
	to, err2 := strconv.ParseUint(last, 16, 64)
	if err1 == nil && err2 == nil {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED) // a page more is no error
	}
}
