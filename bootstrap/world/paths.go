package world

import (
	"errors"
	"io/fs"
	"syscall"

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
		if o, there := photographOutput(path); there {
			s.Outputs[path] = o
		}
	}
}

// photographOutput asks the kernel whether this user can make files in a directory. The superuser can
// wherever a mount is not read-only, whatever the mode says.
func photographOutput(path string) (o contract.Output, there bool) {
	var info syscall.Stat_t
	if err := syscall.Stat(path, &info); err != nil {
		var link syscall.Stat_t
		dangling := errors.Is(err, fs.ErrNotExist) && syscall.Lstat(path, &link) == nil
		if !dangling && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
			return o, false // what stands in the way is looked at itself
		}
		return contract.Output{Problem: reason(err), Unseen: true, Dangling: dangling}, true
	}
	o = contract.Output{UID: int(info.Uid), Mode: info.Mode & 0o7777}
	if info.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		const enterAndWrite = 1 | 2 // X_OK and W_OK
		o.Kind = contract.KindDir
		if err := syscall.Access(path, enterAndWrite); err != nil {
			o.Problem, o.ReadOnly = reason(err), errors.Is(err, syscall.EROFS)
		}
	}
	return o, true
}

// reason is an error in plain words.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return "it is mounted read-only"
	case errors.Is(err, fs.ErrNotExist):
		return "it is a link to nothing"
	}
	return err.Error()
}
