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

const (
	// leftoverGrace is how long leftovers have between SIGTERM and SIGKILL, when nobody stops the job.
	// Leftovers are processes that outlive the program.
	leftoverGrace = 2 * time.Second

	// killTimeout is how long we wait for leftovers after SIGKILL. Some cannot be ended: those that hang in
	// the kernel, and those that we may not signal.
	killTimeout = time.Second

	// killPause is the pause between two SIGKILLs. The next one is for processes that were forked meanwhile.
	killPause = 100 * time.Millisecond
)

// endLeftovers ends the processes that the program left behind. It does not wait for a process that is not
// below us and only holds stdout open. Where somebody stops the job, leftovers have the rest of the grace:
// one of them may be the process that saves, below a shell that SIGTERM has ended.
func (r *run) endLeftovers() {
	if !hasChildren() || r.exit.Left > 0 {
		return
	}
	killAt := time.Now().Add(leftoverGrace)
	if !r.deadline.IsZero() {
		killAt = r.deadline
	}
	end := killAt.Add(killTimeout)
	r.termLeftovers()
	for r.reap(); hasChildren(); r.reap() {
		r.signals.next(killAt)
		if !time.Now().Before(end) {
			r.exit.Left = max(1, len(descendants(os.Getpid())))
			return
		}
		if !time.Now().Before(killAt) {
			r.signalAll(syscall.SIGKILL)
			killAt = time.Now().Add(killPause)
		}
	}
}

// termLeftovers sends SIGTERM to the leftovers. A second SIGTERM might end a process that has begun to
// save. So where the program's process group has had one, only processes outside of that group get one.
func (r *run) termLeftovers() {
	hadTerm := func(int) bool { return false }
	if r.o.SignalGroup && r.exit.Told {
		hadTerm = func(pid int) bool {
			group, err := syscall.Getpgid(pid)
			return pid == -r.pid || err == nil && group == r.pid
		}
	}
	targets := slices.DeleteFunc(r.targets(), hadTerm)
	signalEach(targets, syscall.SIGTERM)
	signalEach(targets, syscall.SIGCONT)
}

// hasChildren says whether there are children, and reaps none.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil
}

// signalAll sends signals to all processes below us: the program, its group, and also those in sessions of
// their own, since every orphan has become our child.
func (r *run) signalAll(sigs ...syscall.Signal) {
	targets := r.targets()
	for _, sig := range sigs {
		signalEach(targets, sig)
	}
}

// signalEach sends a signal to processes and groups, as kill(2) numbers them.
func signalEach(targets []int, sig syscall.Signal) {
	for _, target := range targets {
		_ = syscall.Kill(target, sig) // one that has ended already needs no signal
	}
}

// targets are all processes below us, as kill(2) numbers them. Where /proc is missing or empty, they are
// all others of the container if we are PID 1, and else the program's process group.
func (r *run) targets() []int {
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

// descendants gives the processes below root, parents before children. It reads /proc, and gives none where
// it cannot.
func descendants(root int) []int {
	entries, _ := os.ReadDir("/proc")
	children := map[int][]int{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			parent := parentOf(pid)
			children[parent] = append(children[parent], pid)
		}
	}
	return allBelow(root, children)
}

// allBelow gives the processes below root, parents before children. Children has the children of each
// process.
func allBelow(root int, children map[int][]int) []int {
	found := slices.Clone(children[root])
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

// parentOf gives the parent of a process: the fourth field of /proc/PID/stat. The second field is the name,
// which may have spaces and parentheses in it. It gives 0 for a process that has ended.
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
