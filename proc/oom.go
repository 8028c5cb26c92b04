package proc

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OOMKills is how many processes of this control group the kernel has killed for lack of memory: oom_kill in
// memory.events (cgroup v2) or memory.oom_control (v1, since Linux 4.13). 0 where neither can be read.
func OOMKills() int {
	groups, err := readFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			if n, ok := oomCount("/sys/fs/cgroup", parts[2], "memory.events"); ok {
				return n
			}
		case strings.Contains(","+parts[1]+",", ",memory,"):
			if n, ok := oomCount("/sys/fs/cgroup/"+parts[1], parts[2], "memory.oom_control"); ok {
				return n
			}
		}
	}
	return 0
}

// readFile is os.ReadFile without its os.File, which would start the runtime's poller: nothing else needs that.
func readFile(name string) ([]byte, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	var data []byte
	buffer := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buffer)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || n <= 0:
			return data, err
		default:
			data = append(data, buffer[:n]...)
		}
	}
}

// oomCount reads the counter of a group. In a container without a cgroup namespace the group's path is the host's,
// while the mount shows the group itself.
func oomCount(mount, group, file string) (int, bool) {
	for _, dir := range []string{path.Join(mount, group), mount} {
		text, err := readFile(path.Join(dir, file))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
				n, err := strconv.Atoi(strings.TrimSpace(count))
				return n, err == nil
			}
		}
	}
	return 0, false
}
