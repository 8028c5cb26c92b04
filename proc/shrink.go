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

// shrinkAfter is how long after the program's start we give memory back. A program that ends sooner does
// not wait for that.
const shrinkAfter = 250 * time.Millisecond

// memoryLimit is how many bytes the runtime may use before it collects garbage harder.
const memoryLimit = 32 << 20

// shrink gives back the memory that only the start needed: the heap, and the pages of this program's own
// file. The kernel reads a page again when the supervisor needs it. Limit is in bytes; 0 for the default.
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

// unwritten gives the mappings of a file that equal the file: this process cannot write to them, and the
// kernel counts no page that differs. The loader of a PIE writes addresses into pages and makes them
// read-only later; those differ.
func unwritten(smaps, file string) (found []string) {
	addresses := ""
	for line := range strings.Lines(smaps) {
		// A mapping has a line "from-to rwxp offset device inode path", and then lines of a name and a number.
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

// drop takes the pages of a range of addresses out of memory. Addresses are two hexadecimal numbers with a
// hyphen.
func drop(addresses string) {
	first, last, _ := strings.Cut(addresses, "-")
	from, err1 := strconv.ParseUint(first, 16, 64)
	to, err2 := strconv.ParseUint(last, 16, 64)
	if err1 == nil && err2 == nil { // a page that stays is no error
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED)
	}
}
