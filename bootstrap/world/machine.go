package world

import (
	"context"
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

// argMax is the kernel's limit on arguments and environment together: a quarter of the stack, at most 6 MiB and
// at least 128 KiB (bprm_stack_limits in fs/exec.c).
func argMax() int {
	var stack syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &stack); err != nil {
		return 0
	}
	return int(max(min(stack.Cur/4, 6<<20), 128<<10))
}

func photographMachine(ctx context.Context, system, instanceType string, getenv func(string) (string, bool)) contract.Machine {
	m := contract.Machine{CPUs: onlineCPUs(system)}
	var neurons int
	m.GPUs, neurons = devices(filepath.Join(system, "dev"))
	if visible, _ := getenv("NVIDIA_VISIBLE_DEVICES"); m.GPUs == 0 && visible != "void" && visible != "none" {
		gpus, _ := list(filepath.Join(system, "proc/driver/nvidia/gpus"))
		m.GPUs = len(gpus)
	}
	if neurons > 0 {
		m.NeuronCores = neuronCores(ctx, neurons, instanceType)
	}
	return m
}

// onlineCPUs is Python's os.cpu_count(): sysconf(_SC_NPROCESSORS_ONLN), which glibc reads from sysfs.
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

// devices counts /dev/nvidiaN and /dev/neuronN.
func devices(dev string) (gpus, neurons int) {
	names, _ := list(dev)
	for _, name := range names {
		gpus += isNumbered(name, "nvidia")
		neurons += isNumbered(name, "neuron")
	}
	return gpus, neurons
}

func isNumbered(name, prefix string) int {
	number, ok := strings.CutPrefix(name, prefix)
	if !ok || number == "" || strings.Trim(number, "0123456789") != "" {
		return 0
	}
	return 1
}

// neuronCores asks neuron-ls only about devices whose instance type does not tell.
func neuronCores(ctx context.Context, devices int, instanceType string) int {
	if each, known := contract.CoresPerNeuronDevice(instanceType); known {
		return devices * each
	}
	out, err := proc.Output(ctx, 10*time.Second, "neuron-ls", "-j")
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
