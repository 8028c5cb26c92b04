package world

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"entrain/contract"
)

// photographPaths looks at the job's code and at its outputs.
func photographPaths(s *contract.Snapshot, code, outputs []string) {
	s.Paths, s.Outputs = map[string]contract.Entry{}, map[string]contract.Output{}
	for _, path := range code {
		if entry := photographEntry(path); entry.Problem != missing {
			s.Paths[path] = entry
		}
	}
	for _, path := range outputs {
		if output, exists := photographOutput(path); exists {
			s.Outputs[path] = output
		}
	}
}

// photographOutput asks the kernel whether this user can make files in a directory. The mode does not tell:
// the superuser can always do so, except in a mount that is read-only.
func photographOutput(path string) (output contract.Output, exists bool) {
	info, err := os.Stat(path)
	if err != nil {
		_, linkErr := os.Lstat(path)
		dangling := errors.Is(err, fs.ErrNotExist) && linkErr == nil
		if !dangling && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
			return output, false // a file in place of a directory above it is reported by itself
		}
		return contract.Output{Problem: outputProblem(err), Unseen: true, Dangling: dangling}, true
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		output = contract.Output{UID: int(stat.Uid), Mode: stat.Mode & 0o7777}
	}
	if info.IsDir() {
		output.Kind = contract.KindDir
		if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
			output.Problem, output.ReadOnly = outputProblem(err), errors.Is(err, syscall.EROFS)
		}
	}
	return output, true
}

// outputProblem says in plain words why an output cannot be written.
func outputProblem(err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return "it is mounted read-only"
	case errors.Is(err, fs.ErrNotExist):
		return "it is a link to nothing"
	}
	return reasonOf(err)
}
