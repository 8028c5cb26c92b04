package world

import (
	"context"
	"net"
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

// argMax is the kernel's limit in bytes on arguments and environment together: a quarter of the stack's
// limit, at most 6 MiB and at least 128 KiB (bprm_stack_limits in fs/exec.c). It is 0 if the limit is
// unknown.
func argMax() int {
	var stack syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &stack); err != nil {
		return 0
	}
	return int(max(min(stack.Cur/4, 6<<20), 128<<10))
}

// photographMachine counts CPUs and accelerators. system is the path of the root directory.
func photographMachine(
	ctx context.Context, system string, coresPerNeuron int, getenv func(string) (string, bool),
) contract.Machine {
	m := contract.Machine{CPUs: onlineCPUs(system)}
	var neurons int
	m.GPUs, neurons = countDevices(filepath.Join(system, "dev"))
	visible, _ := getenv("NVIDIA_VISIBLE_DEVICES")
	hidden := visible == "void" || visible == "none"
	if m.GPUs == 0 && !hidden {
		gpus, _ := listNames(filepath.Join(system, "proc/driver/nvidia/gpus"))
		m.GPUs = len(gpus)
	}
	if neurons > 0 {
		m.NeuronCores = countNeuronCores(ctx, neurons, coresPerNeuron)
	}
	return m
}

// onlineCPUs returns the same number as os.cpu_count() of Python: sysconf(_SC_NPROCESSORS_ONLN), which glibc
// reads from sysfs.
func onlineCPUs(system string) int {
	count := 0
	online := readFile(filepath.Join(system, "sys/devices/system/cpu/online"))
	for part := range strings.SplitSeq(strings.TrimSpace(string(online.Data)), ",") {
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

// countDevices counts the files nvidiaN and neuronN in /dev, where N is a number.
func countDevices(dev string) (gpus, neurons int) {
	names, _ := listNames(dev)
	for _, name := range names {
		switch {
		case isNumbered(name, "nvidia"):
			gpus++
		case isNumbered(name, "neuron"):
			neurons++
		}
	}
	return gpus, neurons
}

// interfaceNames returns the names of the network interfaces, and none if they cannot be read.
func interfaceNames() []string {
	list, _ := net.Interfaces()
	names := make([]string, 0, len(list))
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

// isNumbered says whether name is prefix and a number.
func isNumbered(name, prefix string) bool {
	number, ok := strings.CutPrefix(name, prefix)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// countNeuronCores returns the number of cores on all Neuron devices. It asks neuron-ls if nobody knows how
// many cores a device has, which is each.
func countNeuronCores(ctx context.Context, devices, each int) int {
	if each > 0 {
		return devices * each
	}
	out, err := proc.Output(ctx, neuronTimeout, "neuron-ls", "-j")
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

// neuronTimeout is how long neuron-ls may take. It reads a few files of the driver, which takes milliseconds.
// A trainer on one of the known instance types never waits for it.
const neuronTimeout = 10 * time.Second
