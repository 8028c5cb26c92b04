// Package world looks at the machine, once, before anything is decided. It writes nothing, and starts only helper programs
// that tell something of themselves: mpirun --version, neuron-ls.
package world

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/proc"
)

// Ask says what to look at beside the contract's files. It is given a Snapshot that holds those files, the environment
// and what is in the data directory.
type Ask func(files *contract.Snapshot) contract.Questions

// Photograph reads the world once: the contract's files under root, what is in the data directory, the algorithm's
// specification at spec (see NoSpec), the machine, and what the questions ask for.
func Photograph(ctx context.Context, root string, env []string, spec string, ask Ask) *contract.Snapshot {
	s := readFiles(root, env)
	readSpec(s, spec)
	s.UID, s.ArgMax = os.Getuid(), argMax()
	s.Caller = photographCaller(s.Getenv, "/proc")
	s.Machine = photographMachine(ctx, "/", contract.InstanceType(s.Files[contract.ResourceFile]), s.Getenv)
	q := ask(s)
	path, _ := s.Getenv("PATH")
	s.Programs = map[string]bool{}
	for _, name := range q.Programs {
		file := inPath(path, name)
		s.Programs[name] = file != "" && !isSelf(file)
	}
	for _, name := range q.Daemons {
		s.Programs[name] = inPath(path+SystemPath, name) != ""
	}
	photographPaths(s, q.Code, q.Outputs)
	if q.Launcher != "" {
		s.Launcher = askLauncher(ctx, q.Launcher, env)
	}
	s.Self, _ = os.Executable() // without /proc no launcher could start it again
	return s
}

// readFiles reads the files of the contract, the cluster key, and what is in the data directory.
func readFiles(root string, env []string) *contract.Snapshot {
	s := &contract.Snapshot{Root: root, Env: env, Dir: workingDir(), Files: map[string]contract.File{}}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		s.Files[name] = readFile(filepath.Join(root, "input/config", name))
		if s.Files[name].Problem == missing && s.Config == nil {
			s.Config, _ = list(filepath.Join(root, "input/config")) // the directory may be missing too
		}
	}
	s.Data = photographData(filepath.Join(root, "input/data"), contract.ChannelNames(s.Files[contract.InputDataFile]))
	if _, sdk := s.Data["sm_drivers"]; sdk {
		for _, name := range []string{contract.SourceCodeFile, contract.DistributedFile} {
			s.Files[name] = readFile(filepath.Join(root, "input/data/sm_drivers", name))
		}
	}
	if key := readFile(plan.KeyFile); key.Problem != missing {
		s.ClusterKey, s.ClusterKeyMode = key, permissions(plan.KeyFile)
	}
	return s
}

// workingDir is the working directory. Where that has been removed, it is the root, so that the trainer gets one that
// exists.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return dir
}

// readFile reads a configuration file, and one byte more than it may have at most. Here and below are bare system
// calls, since an os.File starts the runtime's poller, which nothing else needs before the trainer starts.
func readFile(path string) contract.File {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return contract.File{Problem: problem(err)}
	}
	defer func() { _ = syscall.Close(fd) }()
	var info syscall.Stat_t
	if err := syscall.Fstat(fd, &info); err != nil {
		return contract.File{Problem: problem(err)}
	}
	switch info.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		return contract.File{Problem: "is a directory"}
	default:
		return contract.File{Problem: "is a FIFO, a socket or a device"}
	}
	data := make([]byte, 0, 4096)
	for len(data) <= contract.MaxFileSize {
		data = slices.Grow(data, 1)
		n, err := syscall.Read(fd, data[len(data):min(cap(data), contract.MaxFileSize+1)])
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return contract.File{Problem: problem(err)}
		case n == 0:
			return contract.File{Data: data}
		default:
			data = data[:len(data)+n]
		}
	}
	return contract.File{Data: data}
}

// permissions are a file's permission bits, 0 where they cannot be had.
func permissions(path string) uint32 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint32(info.Mode().Perm())
}

// missing is the problem of a file that does not exist.
const missing = "is missing"

func problem(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	return "cannot be read: " + err.Error()
}

// photographData looks at what is there, and at the channels by name: they can be read where the directory cannot.
func photographData(dir string, channels []string) map[string]contract.Entry {
	names, _ := list(dir) // a job without channels has none
	data := make(map[string]contract.Entry, len(names))
	for _, name := range names {
		data[name] = photographEntry(dir + "/" + name)
		if data[name].Problem == missing {
			data[name] = contract.Entry{Problem: "is a link to nothing"}
		}
	}
	for _, name := range channels {
		if _, seen := data[name]; seen {
			continue
		}
		if entry := photographEntry(dir + "/" + name); entry.Problem != missing {
			data[name] = entry
		}
	}
	return data
}

// photographEntry never opens a FIFO, which would start the platform's stream, and reads a directory's first names
// alone, since behind a FastFile mount there may be millions.
func photographEntry(path string) contract.Entry {
	var info syscall.Stat_t
	if err := syscall.Stat(path, &info); err != nil {
		return contract.Entry{Problem: problem(err)}
	}
	switch info.Mode & syscall.S_IFMT {
	case syscall.S_IFIFO:
		return contract.Entry{Kind: contract.KindFIFO}
	case syscall.S_IFREG:
		return contract.Entry{Kind: contract.KindFile}
	case syscall.S_IFDIR:
		names, err := listSome(path)
		if err != nil {
			return contract.Entry{Kind: contract.KindDir, Problem: problem(err)}
		}
		const enter = 1 // X_OK
		if err := syscall.Access(path, enter); err != nil {
			return contract.Entry{Kind: contract.KindDir, Problem: problem(err)}
		}
		return contract.Entry{Kind: contract.KindDir, Empty: len(names) == 0}
	default:
		return contract.Entry{}
	}
}

// list gives the names in a directory.
func list(dir string) ([]string, error) { return readNames(dir, 1<<20) }

// listSome gives the first names in a directory; none only if it is empty.
func listSome(dir string) ([]string, error) { return readNames(dir, 1) }

// readNames reads a directory until it has enough names.
func readNames(dir string, enough int) ([]string, error) {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = syscall.Close(fd) }()
	var names []string
	buffer := make([]byte, 4096)
	for len(names) < enough {
		n, err := syscall.ReadDirent(fd, buffer)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = syscall.ParseDirent(buffer[:n], -1, names)
	}
	return names, nil
}

// inPath finds a program in a search path; empty where it is not there. A directory is none.
func inPath(path, name string) string {
	const executable = 1 // X_OK
	for dir := range strings.SplitSeq(path, ":") {
		file := dir + "/" + name
		if dir == "" || syscall.Access(file, executable) != nil {
			continue
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// SystemPath are the directories, as the end of a search path, where system programs such as sshd are. No user's own
// path holds them.
const SystemPath = ":/usr/local/sbin:/usr/sbin:/sbin"

// launcherBound is how long an MPI launcher may take to tell its version. It starts within a second even on a busy host.
const launcherBound = 30 * time.Second

// askLauncher asks an MPI launcher for its version.
func askLauncher(ctx context.Context, name string, env []string) *contract.Program {
	p := &contract.Program{Path: name}
	found, err := proc.Find(name, env)
	if err != nil {
		p.Problem = err.Error()
		return p
	}
	out, err := proc.Output(ctx, launcherBound, found, "--version")
	if err != nil {
		p.Found, p.Problem = true, err.Error()
	}
	p.Version = string(out)
	return p
}
