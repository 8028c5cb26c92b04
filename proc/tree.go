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

// stragglers ends what the program left behind. Nobody waits for a process that only holds stdout open. Where somebody stops
// the job, what is left has the rest of the grace: it may be what saves, below a shell that SIGTERM has ended.
func (r *run) stragglers() {
	if !hasChildren() || r.exit.Left > 0 {
		return
	}
	limit := time.Now().Add(strayGrace)
	if !r.deadline.IsZero() {
		limit = r.deadline
	}
	end := limit.Add(strayLimit - strayGrace)
	r.tellStragglers()
	for r.reap(); hasChildren(); r.reap() {
		r.signals.next(limit)
		if !time.Now().Before(end) {
			r.exit.Left = max(1, len(descendants(os.Getpid())))
			return
		}
		if !time.Now().Before(limit) {
			r.signalAll(syscall.SIGKILL)
			limit = time.Now().Add(100 * time.Millisecond) // for what forked meanwhile
		}
	}
}

// tellStragglers sends them SIGTERM. A second one might end a process that has begun to save: where the program's group has
// had the first one, only those outside of the group get theirs.
func (r *run) tellStragglers() {
	hadIt := func(int) bool { return false }
	if r.o.SignalGroup && r.exit.Told {
		hadIt = func(pid int) bool {
			group, err := syscall.Getpgid(pid)
			return pid == -r.pid || err == nil && group == r.pid
		}
	}
	below := slices.DeleteFunc(r.below(), hadIt)
	signalEach(below, syscall.SIGTERM)
	signalEach(below, syscall.SIGCONT)
}

// hasChildren asks without reaping any.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil
}

// signalAll sends signals to everything below us: the program, its group, and what escaped that by a session of its
// own, since every orphan has become our child.
func (r *run) signalAll(sigs ...syscall.Signal) {
	below := r.below()
	for _, sig := range sigs {
		signalEach(below, sig)
	}
}

func signalEach(pids []int, sig syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig) // gone already is as good
	}
}

// below is what kill(2) takes for everything below us. A /proc that is missing or empty shows nobody: then PID 1 reaches
// all others of its container, and any other process the program's group.
func (r *run) below() []int {
	const all = -1
	pids := descendants(os.Getpid())
	switch {
	case len(pids) > 0:
		return pids
	case os.Getpid() == 1:
		return []int{all}
	case r.pid != 0:
		return []int{-r.pid}
	}
	return nil
}

// descendants are the processes below root, parents before children, read from /proc; none where that cannot be read.
func descendants(root int) []int {
	entries, _ := os.ReadDir("/proc")
	children := map[int][]int{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			parent := parentOf(pid)
			children[parent] = append(children[parent], pid)
		}
	}
	return under(root, children)
}

// under walks a tree of processes, which maps each one to its children. It gives all below root, parents before children.
func under(root int, children map[int][]int) []int {
	found := slices.Clone(children[root])
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
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
