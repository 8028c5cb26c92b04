package bootstrap

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"entrain/contract"
	"entrain/hparams"
	"entrain/proc"
)

// Photograph reads the world once: the configuration files under root, what is in the data directory, and the
// machine.
func Photograph(root string, env []string) *contract.Snapshot {
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // a working directory that is gone; the trainer gets one that is there
	}
	s := &contract.Snapshot{
		Root: root, Env: env, Dir: dir,
		Files:    map[string]contract.File{},
		Data:     photographData(filepath.Join(root, "input/data")),
		Programs: map[string]bool{},
		ArgMax:   argMax(),
	}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		s.Files[name] = readFile(filepath.Join(root, "input/config", name))
	}
	if _, sdk := s.Data["sm_drivers"]; sdk {
		for _, name := range []string{contract.SourceCodeFile, contract.DistributedFile} {
			s.Files[name] = readFile(filepath.Join(root, "input/data/sm_drivers", name))
		}
	}
	path, _ := s.Getenv("PATH")
	for _, name := range []string{"python3", "python", "smddprun", "smddpmprun"} {
		s.Programs[name] = inPath(path, name)
	}
	s.Machine = photographMachine("/", contract.InstanceType(s.Files[contract.ResourceFile]), s.Getenv)
	return s
}

// readFile reads a configuration file, and one byte more than it may have at most.
func readFile(path string) contract.File {
	f, err := os.Open(path)
	if err != nil {
		return contract.File{Problem: problem(err)}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return contract.File{Problem: "is a directory"}
	}
	data, err := io.ReadAll(io.LimitReader(f, contract.MaxFileSize+1))
	if err != nil {
		return contract.File{Problem: problem(err)}
	}
	return contract.File{Data: data}
}

func problem(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "is missing"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return "cannot be read: " + err.Error()
}

func photographData(dir string) map[string]contract.Entry {
	data := map[string]contract.Entry{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return data // a job without channels has no such directory; one with channels fails for each of them
	}
	for _, e := range entries {
		data[e.Name()] = photographEntry(filepath.Join(dir, e.Name()))
	}
	return data
}

// photographEntry never opens a FIFO, which would start the platform's stream, and reads one name of a
// directory at most, since behind a FastFile mount there may be millions.
func photographEntry(path string) contract.Entry {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return contract.Entry{Problem: problem(err)}
	case info.Mode()&fs.ModeNamedPipe != 0:
		return contract.Entry{Kind: contract.KindFIFO}
	case info.Mode().IsRegular():
		return contract.Entry{Kind: contract.KindFile}
	case !info.IsDir():
		return contract.Entry{}
	}
	f, err := os.Open(path)
	if err != nil {
		return contract.Entry{Kind: contract.KindDir, Problem: problem(err)}
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return contract.Entry{Kind: contract.KindDir, Empty: errors.Is(err, io.EOF)}
}

func inPath(path, name string) bool {
	for dir := range strings.SplitSeq(path, ":") {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// argMax is the kernel's limit on arguments and environment together: a quarter of the stack, at most 6 MiB and
// at least 128 KiB (bprm_stack_limits in fs/exec.c).
func argMax() int {
	var stack syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &stack); err != nil {
		return 0
	}
	return int(max(min(stack.Cur/4, 6<<20), 128<<10))
}

func photographMachine(system, instanceType string, getenv func(string) (string, bool)) contract.Machine {
	m := contract.Machine{CPUs: onlineCPUs(system)}
	var neurons int
	m.GPUs, neurons = devices(filepath.Join(system, "dev"))
	if visible, _ := getenv("NVIDIA_VISIBLE_DEVICES"); m.GPUs == 0 && visible != "void" && visible != "none" {
		gpus, _ := os.ReadDir(filepath.Join(system, "proc/driver/nvidia/gpus"))
		m.GPUs = len(gpus)
	}
	if neurons > 0 {
		m.NeuronCores = neuronCores(neurons, instanceType)
	}
	return m
}

// onlineCPUs is Python's os.cpu_count(): sysconf(_SC_NPROCESSORS_ONLN), which glibc reads from sysfs.
func onlineCPUs(system string) int {
	data, err := os.ReadFile(filepath.Join(system, "sys/devices/system/cpu/online"))
	if err != nil {
		return runtime.NumCPU()
	}
	count := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(data)), ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		if err != nil || to < from {
			return runtime.NumCPU()
		}
		count += to - from + 1
	}
	return count
}

// devices counts /dev/nvidiaN and /dev/neuronN.
func devices(dev string) (gpus, neurons int) {
	f, err := os.Open(dev)
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		gpus += isNumbered(name, "nvidia")
		neurons += isNumbered(name, "neuron")
	}
	return gpus, neurons
}

func isNumbered(name, prefix string) int {
	number, ok := strings.CutPrefix(name, prefix)
	if _, err := strconv.ParseUint(number, 10, 16); !ok || err != nil {
		return 0
	}
	return 1
}

// neuronCores asks neuron-ls only about devices whose instance type does not tell.
func neuronCores(devices int, instanceType string) int {
	if each, known := contract.CoresPerNeuronDevice(instanceType); known {
		return devices * each
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := proc.Output(ctx, "neuron-ls", "-j")
	if err != nil {
		return 0
	}
	doc, _, err := hparams.Parse(string(out))
	if err != nil {
		return 0
	}
	cores := 0
	for _, device := range doc.Items {
		count, _ := device.Get("nc_count")
		n, _ := strconv.Atoi(count.Text)
		cores += n
	}
	return cores
}
