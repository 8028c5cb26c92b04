package world

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"entrain/contract"
)

// photographPaths looks at the job's code and at its outputs.
func photographPaths(s *contract.Snapshot, code, outputs []string, look Look) {
	s.Paths, s.Outputs = PhotographCode(code, look), map[string]contract.Output{}
	for _, path := range outputs {
		look(path)
		if output, exists := photographOutput(path); exists {
			s.Outputs[path] = output
		}
	}
}

// PhotographCode looks at the paths of the job's code alone.
func PhotographCode(paths []string, look Look) map[string]contract.Entry {
	entries := map[string]contract.Entry{}
	for _, path := range paths {
		look(path)
		if entry := photographEntry(path); entry.Problem != missing {
			if entry.Kind == contract.KindFile {
				photographProgram(path, &entry)
			}
			entries[path] = entry
		}
	}
	return entries
}

// photographProgram says whether this user can execute a file, and which interpreter its first line names.
func photographProgram(path string, entry *contract.Entry) {
	if unix.Access(path, unix.X_OK) != nil { // the kernel also refuses on a mount that runs no programs
		var mount unix.Statfs_t
		entry.NoExec = unix.Statfs(path, &mount) == nil && mount.Flags&unix.ST_NOEXEC != 0
		entry.Unrunnable = "is not executable"
		if entry.NoExec {
			entry.Unrunnable = "is on a mount that runs no programs"
		}
	}
	head := readHead(path)
	entry.ELF = strings.HasPrefix(head, "\x7fELF")
	entry.Marked = strings.HasPrefix(head, "\ufeff#!")
	if entry.Shebang = shebangOf(head); len(entry.Shebang) > 0 {
		_, err := os.Stat(entry.Shebang[0])
		entry.NoInterpreter = errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	}
}

// readHead returns the first bytes of a file, as many as the kernel looks at. It is empty for a file that
// cannot be read.
func readHead(path string) string {
	const longest = 256 // bytes; BINPRM_BUF_SIZE of Linux
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, longest)
	n, _ := io.ReadFull(f, head) // an error means a shorter file
	return string(head[:n])
}

// shebangOf returns the words behind #! in the first line of a file, as the kernel takes them: the path of
// an interpreter, and all that follows it as one argument.
func shebangOf(head string) []string {
	line, _, _ := strings.Cut(head, "\n")
	line, found := strings.CutPrefix(line, "#!")
	if line = strings.Trim(line, " \t"); !found || line == "" {
		return nil
	}
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return []string{line[:i], strings.TrimLeft(line[i:], " \t")}
	}
	return []string{line}
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
