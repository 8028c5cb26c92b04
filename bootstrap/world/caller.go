package world

import (
	"os"
	"slices"
	"strings"

	"entrain/contract"
)

// photographCaller says who started entrain. The platform and the SDK's local mode set TRAINING_JOB_NAME.
// Otherwise ByEngine tells whether a container engine started entrain.
func photographCaller(getenv func(string) (string, bool), proc string) contract.Caller {
	if _, named := getenv("TRAINING_JOB_NAME"); named {
		return contract.CallerPlatform
	}
	if ByEngine(proc) {
		return contract.CallerContainer
	}
	return contract.CallerOther
}

// ByEngine says whether a container engine started entrain. It did if entrain is PID 1, or if entrain's
// parent is PID 1 and an init that an engine or an image puts before the entry point (docker run --init). A
// person starts entrain in a container by a shell, which is neither. proc is the path of /proc.
func ByEngine(proc string) bool {
	return os.Getpid() == 1 || os.Getppid() == 1 && isContainerInit(readFile(proc+"/1/comm"))
}

// isContainerInit says whether the name of a process is that of an init for containers. A shell as PID 1 is
// no init: a person gives it the words of a command.
func isContainerInit(comm contract.File) bool {
	inits := []string{"docker-init", "podman-init", "tini", "tini-static", "catatonit", "dumb-init"}
	return slices.Contains(inits, strings.TrimSpace(string(comm.Data)))
}

// isSelf says whether a file is entrain, such as a link with the name "train".
func isSelf(path string) bool {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	file, err := os.Stat(path)
	return err == nil && os.SameFile(self, file)
}
