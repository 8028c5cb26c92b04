// Package world looks at the machine, once, before anything is decided: it reads the contract's files, the
// environment, the CPUs and accelerators, and makes a contract.Snapshot of them.
//
// The package decides nothing, never writes, and never opens the FIFO of a channel. It starts only helper
// programs that print something about the machine: mpirun --version, neuron-ls, and Python for its modules.
package world

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/proc"
)

// Ask says what to look at besides the contract's files. It gets a Snapshot of those files, of the
// environment and of the data directory.
type Ask func(files *contract.Snapshot) contract.Questions

// Photograph looks at the machine: at the contract's files and the data directory under root, the algorithm
// specification at spec (see readSpec and NoSpec), the CPUs and accelerators, and at what ask asks for. What
// cannot be read is not an error: the Snapshot says why. Photograph calls look before it looks at a path that
// may be on a mount: a mount that does not answer keeps it for ever.
func Photograph(
	ctx context.Context, root string, env []string, spec string, look Look, ask Ask,
) *contract.Snapshot {
	s := readFiles(root, env, look)
	readSpec(s, spec, look)
	s.UID, s.ArgMax = os.Getuid(), argMax()
	s.Caller = photographCaller(s.Getenv, "/proc")
	q := ask(s)
	s.Machine = photographMachine(ctx, "/", q.CoresPerNeuron, s.Getenv)
	path, _ := s.Getenv("PATH")
	s.Programs = map[string]bool{}
	for _, name := range q.Programs {
		look(name + " in PATH")
		file := findInPath(path, name)
		s.Programs[name] = file != "" && !isSelf(file)
	}
	for _, name := range q.Daemons {
		s.Programs[name] = findInPath(path+SystemPath, name) != ""
	}
	photographPaths(s, q.Code, q.Outputs, look)
	if q.Launcher != "" {
		s.Launcher = askLauncher(ctx, q.Launcher, env)
	}
	if q.Module != "" {
		s.Modules = map[string]bool{q.Module: hasModule(ctx, q.Module, s)}
	}
	if q.Interfaces {
		s.Interfaces = interfaceNames()
	}
	s.Self, _ = os.Executable() // empty without /proc; then no launcher can start entrain on a rank
	return s
}

// Look takes the name of what Photograph looks at next.
type Look func(path string)

// readFiles reads the contract's files and the cluster key, and looks at the data directory.
func readFiles(root string, env []string, look Look) *contract.Snapshot {
	look(root)
	s := &contract.Snapshot{Root: root, Env: env, Dir: workingDir(), Files: map[string]contract.File{}}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		path := filepath.Join(root, "input/config", name)
		look(path)
		s.Files[name] = readFile(path)
		if s.Files[name].Problem == missing && s.Config == nil {
			s.Config, _ = listNames(filepath.Join(root, "input/config")) // the directory may be missing too
		}
	}
	channels := contract.ChannelNames(s.Files[contract.InputDataFile])
	s.Data = photographData(filepath.Join(root, "input/data"), channels, look)
	if _, sdk := s.Data["sm_drivers"]; sdk {
		for _, name := range []string{contract.SourceCodeFile, contract.DistributedFile} {
			s.Files[name] = readFile(filepath.Join(root, "input/data/sm_drivers", name))
		}
	}
	look(plan.KeyFile)
	s.ClusterKey, s.ClusterKeyMode = readKey(plan.KeyFile)
	return s
}

// workingDir is the working directory, or the root directory if somebody has removed the working directory:
// the trainer needs one that exists.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return dir
}

// readFile reads a configuration file, at most one byte more than contract.MaxFileSize. Opening a FIFO does
// not wait for a writer.
func readFile(path string) contract.File {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return contract.File{Problem: readProblem(err)}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return contract.File{Problem: readProblem(err)}
	case info.IsDir():
		return contract.File{Problem: "is a directory"}
	case !info.Mode().IsRegular():
		return contract.File{Problem: "is a FIFO, a socket or a device"}
	}
	data, err := io.ReadAll(io.LimitReader(f, contract.MaxFileSize+1))
	if err != nil {
		return contract.File{Problem: readProblem(err)}
	}
	return contract.File{Data: data}
}

// readKey reads the file of the cluster key and its permission bits. Both are zero if there is no file. A
// link to nothing is a mistake, not the same as no file.
func readKey(path string) (contract.File, uint32) {
	key := readFile(path)
	if key.Problem == missing {
		if _, err := os.Lstat(path); err != nil {
			return contract.File{}, 0
		}
		key.Problem = "is a link to nothing"
	}
	return key, permissions(path)
}

// permissions returns a file's permission bits. It returns 0 if they cannot be read.
func permissions(path string) uint32 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint32(info.Mode().Perm())
}

// missing is the problem of a file that does not exist.
const missing = "is missing"

// readProblem says in plain words why a file cannot be read.
func readProblem(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	return "cannot be read: " + reasonOf(err)
}

// reasonOf is an error without the call and the path that had it, which a message names anyway.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// photographData looks at the entries of the data directory. It also looks for each channel by its name: a
// directory that cannot be listed may hold channels that can be read.
func photographData(dir string, channels []string, look Look) map[string]contract.Entry {
	look(dir)
	names, _ := listNames(dir) // without channels the directory may be missing
	data := make(map[string]contract.Entry, len(names))
	for _, name := range names {
		look(dir + "/" + name)
		data[name] = photographEntry(dir + "/" + name)
		if data[name].Problem == missing {
			data[name] = contract.Entry{Problem: "is a link to nothing"}
		}
	}
	for _, name := range channels {
		if _, seen := data[name]; seen {
			continue
		}
		look(dir + "/" + name)
		if entry := photographEntry(dir + "/" + name); entry.Problem != missing {
			data[name] = entry
		}
	}
	return data
}

// photographEntry says what a path is. It never opens a FIFO: that would start the platform's stream. It
// reads only the first names of a directory: a FastFile mount may hold millions.
func photographEntry(path string) contract.Entry {
	info, err := os.Stat(path)
	if err != nil {
		return contract.Entry{Problem: readProblem(err)}
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeNamedPipe != 0:
		entry := contract.Entry{Kind: contract.KindFIFO}
		if err := unix.Access(path, unix.R_OK); err != nil {
			entry.Problem = readProblem(err)
		}
		return entry
	case mode.IsRegular():
		return contract.Entry{Kind: contract.KindFile}
	case mode.IsDir():
		names, err := listFirstNames(path)
		if err == nil {
			err = unix.Access(path, unix.X_OK) // os has no such call
		}
		if err != nil {
			return contract.Entry{Kind: contract.KindDir, Problem: readProblem(err)}
		}
		return contract.Entry{Kind: contract.KindDir, Empty: len(names) == 0}
	}
	return contract.Entry{}
}

// listNames returns the names in a directory.
func listNames(dir string) ([]string, error) { return readNames(dir, -1) }

// listFirstNames returns the first names in a directory. It returns none only if the directory is empty.
func listFirstNames(dir string) ([]string, error) { return readNames(dir, 1) }

// readNames reads at most so many names of a directory, or all for -1.
func readNames(dir string, most int) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	names, err := f.Readdirnames(most)
	if errors.Is(err, io.EOF) {
		err = nil // an empty directory
	}
	return names, err
}

// findInPath finds a program in a search path and returns the path of its file, empty if there is none.
func findInPath(path, name string) string {
	for dir := range strings.SplitSeq(path, ":") {
		file := dir + "/" + name
		if dir == "" || unix.Access(file, unix.X_OK) != nil {
			continue
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// SystemPath holds the directories of system programs such as sshd, in the form of the end of a search path.
// A user's PATH often lacks them.
const SystemPath = ":/usr/local/sbin:/usr/sbin:/sbin"

// versionTimeout limits the time for the version of an MPI launcher, and for Python's answer about a module.
// Even on a busy host a launcher and Python start within a second.
const versionTimeout = 30 * time.Second

// hasModule asks the first Python in PATH whether it has a module.
func hasModule(ctx context.Context, module string, s *contract.Snapshot) bool {
	name := "python3"
	if !s.Programs[name] {
		name = "python"
	}
	path, _ := s.Getenv("PATH")
	python := findInPath(path, name)
	if python == "" {
		return false
	}
	const program = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
	_, err := proc.Output(ctx, versionTimeout, python, "-c", program, module)
	return err == nil
}

// askLauncher starts an MPI launcher to learn its version.
func askLauncher(ctx context.Context, name string, env []string) *contract.Program {
	p := &contract.Program{Path: name}
	found, err := proc.Find(name, env)
	if err != nil {
		p.Problem = err.Error()
		return p
	}
	out, err := proc.Output(ctx, versionTimeout, found, "--version")
	if err != nil {
		p.Found, p.Problem = true, err.Error()
	}
	p.Version = string(out)
	return p
}
