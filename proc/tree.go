package proc

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// strayGrace is how long processes that outlive the program have between SIGTERM and SIGKILL, and strayLimit how long
// they are then waited for: a process that we may not signal, or one that hangs in the kernel, is not ours to end.
const (
	strayGrace = 2 * time.Second
	strayLimit = 3 * time.Second
)

// stragglers ends what the program left behind. Nobody waits for a process that only holds stdout open.
func (r *run) stragglers() error {
	if !hasChildren() {
		return nil
	}
	r.signalAll(syscall.SIGTERM, syscall.SIGCONT)
	limit := time.Now().Add(strayGrace)
	end := time.Now().Add(strayLimit)
	for r.reap(); hasChildren(); r.reap() {
		r.signals.next(limit)
		if !time.Now().Before(end) {
			left, err := descendants(os.Getpid())
			r.exit.Left = len(left)
			return err
		}
		if !time.Now().Before(limit) {
			r.signalAll(syscall.SIGKILL)
			limit = time.Now().Add(100 * time.Millisecond) // for what forked meanwhile
		}
	}
	return nil
}

// hasChildren asks without reaping any.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil
}

// signalAll sends signals to everything below us: the program, its group, and what escaped that by a session of its
// own, since every orphan has become our child.
func (r *run) signalAll(sigs ...syscall.Signal) {
	below, err := descendants(os.Getpid())
	if err != nil && r.pid != 0 {
		below = []int{-r.pid} // without /proc its group is all that is known
	}
	for _, sig := range sigs {
		for _, pid := range below {
			_ = syscall.Kill(pid, sig) // gone already is as good
		}
	}
}

// descendants are the processes below root, parents before children, read from /proc.
func descendants(root int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			parent := parentOf(pid)
			children[parent] = append(children[parent], pid)
		}
	}
	found := slices.Clone(children[root])
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found, nil
}

// parentOf reads the fourth field of /proc/PID/stat; the second, the name, may hold anything.
func parentOf(pid int) int {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	return parent
}
