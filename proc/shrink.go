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
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, addresses := range unwritten(string(maps), self) {
		drop(addresses)
	}
}

// unwritten are the mappings of a file that equal the file: nobody can write to them, and the kernel counts no page of them
// that somebody has written to. The loader of a PIE writes addresses into what is read-only later.
func unwritten(smaps, file string) (found []string) {
	addresses := ""
	for line := range strings.Lines(smaps) {
		// from-to rwxp offset device inode path, and then lines of a name and a number
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			addresses = ""
			if len(fields) == 6 && fields[5] == file && fields[1][1] == '-' {
				addresses = fields[0]
			}
		case addresses != "" && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0":
			found = append(found, addresses)
		}
	}
	return found
}

// drop takes a range of addresses out of memory.
func drop(addresses string) {
	first, last, _ := strings.Cut(addresses, "-")
	from, err1 := strconv.ParseUint(first, 16, 64)
	to, err2 := strconv.ParseUint(last, 16, 64)
	if err1 == nil && err2 == nil {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED) // a page more is no error
	}
}
