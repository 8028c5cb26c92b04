package proc

import (
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
)

// Where the kernel lists the control groups of this process, and where they are usually mounted.
const (
	groupsOfThis = "/proc/self/cgroup"
	groupsMount  = "/sys/fs/cgroup"
)

// OOMKills is how many processes of this control group the kernel has killed so far for lack of memory. It
// is 0 where no counter can be read.
func OOMKills() int {
	counter := openOOMCounter(groupsOfThis, groupsMount)
	defer counter.close()
	return counter.before
}

// oomCounter is the open file in which the kernel counts the processes of this control group that it has
// killed for lack of memory: the line oom_kill in memory.events (cgroup v2) or memory.oom_control (cgroup
// v1, since Linux 4.13).
type oomCounter struct {
	file   *os.File // nil where there is none
	before int      // the number when the file was opened
}

// openOOMCounter opens the counter. List is the file that lists the control groups of this process, and
// mount the directory where they are mounted.
func openOOMCounter(list, mount string) oomCounter {
	groups, err := os.ReadFile(list)
	if err != nil {
		return oomCounter{}
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy:controllers:path
		var counter oomCounter
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			counter = openIn(mount, parts[2], "memory.events")
		case strings.Contains(","+parts[1]+",", ",memory,"):
			counter = openIn(path.Join(mount, parts[1]), parts[2], "memory.oom_control")
		}
		if counter.file != nil {
			return counter
		}
	}
	return oomCounter{}
}

// openIn opens the counter of a group. In a container without a cgroup namespace the path is the host's,
// and the mount itself is the group.
func openIn(mount, group, name string) oomCounter {
	for _, dir := range []string{path.Join(mount, group), mount} {
		file, err := os.Open(path.Join(dir, name))
		if err != nil {
			continue
		}
		counter := oomCounter{file: file}
		if n, found := counter.read(); found {
			counter.before = n
			return counter
		}
		counter.close()
	}
	return oomCounter{}
}

// since is how many have been killed since the file was opened.
func (c oomCounter) since() int {
	n, _ := c.read()
	return max(0, n-c.before)
}

// read gives the number that the file has at this moment.
func (c oomCounter) read() (kills int, found bool) {
	if c.file == nil {
		return 0, false
	}
	buffer := make([]byte, 1024) // the kernel writes less than 200 bytes
	n, _ := c.file.ReadAt(buffer, 0)
	for line := range bytes.Lines(buffer[:n]) {
		if count, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			kills, err := strconv.Atoi(string(bytes.TrimSpace(count)))
			return kills, err == nil
		}
	}
	return 0, false
}

func (c oomCounter) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
}
