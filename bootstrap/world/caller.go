package world

import (
	"os"
	"slices"
	"strings"

	"entrain/contract"
)

// photographCaller says who started this program. The platform and local mode set TRAINING_JOB_NAME. Otherwise a
// container's engine started it where it is PID 1, or where its parent is PID 1 and one of the inits that engines put
// in front of an entry point (docker run --init, podman run --init).
func photographCaller(getenv func(string) (string, bool), proc string) contract.Caller {
	if _, named := getenv("TRAINING_JOB_NAME"); named {
		return contract.CallerPlatform
	}
	if ByEngine(proc) {
		return contract.CallerContainer
	}
	return contract.CallerOther
}

// ByEngine says whether this is a container's own program. A shell in a container has other children, whose user sees
// what they see.
func ByEngine(proc string) bool {
	return os.Getpid() == 1 || os.Getppid() == 1 && isContainerInit(readFile(proc+"/1/comm"))
}

// isContainerInit looks at the name of PID 1. A shell as PID 1 is no init: what it starts has its words from a person.
func isContainerInit(comm contract.File) bool {
	inits := []string{"docker-init", "podman-init", "tini", "tini-static", "catatonit", "dumb-init"}
	return slices.Contains(inits, strings.TrimSpace(string(comm.Data)))
}

// isSelf says whether a file is this program, such as a link to it that is called "train".
func isSelf(path string) bool {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	file, err := os.Stat(path)
	return err == nil && os.SameFile(self, file)
}
