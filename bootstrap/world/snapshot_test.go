package world

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

// writeFile writes a file and makes the directories above it.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestASnapshotSaysWhatEveryFileAndChannelIs(t *testing.T) {
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "input/config/hyperparameters.json"), "{}")
	if err := os.MkdirAll(filepath.Join(root, "input/config/resourceconfig.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "input/config/inputdataconfig.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "input/data/full/x"), "x")
	writeFile(t, filepath.Join(root, "input/data/file"), "x")
	writeFile(t, filepath.Join(root, "input/data/sm_drivers/sourcecode.json"), `{"entry_script":"t.py"}`)
	data := filepath.Join(root, "input/data")
	for _, err := range []error{
		os.Mkdir(filepath.Join(data, "empty"), 0o755),
		syscall.Mkfifo(filepath.Join(data, "train_0"), 0o644),
		os.Symlink("full", filepath.Join(data, "link")),
		os.Symlink("nowhere", filepath.Join(data, "broken")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	snap := Photograph(t.Context(), root, []string{"PATH=/nowhere"}, "", noLook, noQuestions)
	wantFiles := map[string]contract.File{
		"hyperparameters.json": {Data: []byte("{}")},
		"inputdataconfig.json": {Problem: "is a FIFO, a socket or a device"},
		"resourceconfig.json":  {Problem: "is a directory"},
		"sourcecode.json":      {Data: []byte(`{"entry_script":"t.py"}`)},
		"distributed.json":     {Problem: "is missing"},
	}
	if diff := cmp.Diff(wantFiles, snap.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantData := map[string]contract.Entry{
		"full":       {Kind: contract.KindDir},
		"link":       {Kind: contract.KindDir},
		"empty":      {Kind: contract.KindDir, Empty: true},
		"sm_drivers": {Kind: contract.KindDir},
		"file":       {Kind: contract.KindFile},
		"train_0":    {Kind: contract.KindFIFO},
		"broken":     {Problem: "is a link to nothing"},
	}
	if diff := cmp.Diff(wantData, snap.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestAHugeFileIsReadOnlyUpToOneByteOverTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	writeFile(t, path, "x")
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if f := readFile(path); len(f.Data) != contract.MaxFileSize+1 || f.Problem != "" {
		t.Errorf("read %d bytes, %q", len(f.Data), f.Problem)
	}
}

func TestAcceleratorsAreCounted(t *testing.T) {
	for _, c := range []struct {
		what         string
		files        []string
		instanceType string
		visible      string // NVIDIA_VISIBLE_DEVICES, if it is not empty
		want         contract.Machine
	}{
		{"nothing", nil, "ml.m5.large", "", contract.Machine{CPUs: 4}},
		{
			"NVIDIA devices",
			[]string{
				"dev/nvidia0", "dev/nvidia3", "dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia",
				"proc/driver/nvidia/gpus/a", "proc/driver/nvidia/gpus/b", "proc/driver/nvidia/gpus/c",
			},
			"", "",
			contract.Machine{CPUs: 4, GPUs: 2},
		},
		{
			"NVIDIA only in /proc",
			[]string{"proc/driver/nvidia/gpus/a", "proc/driver/nvidia/gpus/b"},
			"", "",
			contract.Machine{CPUs: 4, GPUs: 2},
		},
		{"NVIDIA hidden", []string{"proc/driver/nvidia/gpus/a"}, "", "void", contract.Machine{CPUs: 4}},
		{"NVIDIA none", []string{"proc/driver/nvidia/gpus/a"}, "", "none", contract.Machine{CPUs: 4}},
		{
			"Trainium",
			[]string{"dev/neuron0", "dev/neuron1", "dev/neuron15"},
			"ml.trn1.32xlarge", "",
			contract.Machine{CPUs: 4, NeuronCores: 6},
		},
		{
			"Inferentia",
			[]string{"dev/neuron0"},
			"ml.inf1.xlarge", "",
			contract.Machine{CPUs: 4, NeuronCores: 4},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			system := t.TempDir()
			writeFile(t, filepath.Join(system, "sys/devices/system/cpu/online"), "0-1,4,7\n")
			for _, f := range c.files {
				writeFile(t, filepath.Join(system, f), "")
			}
			getenv := func(string) (string, bool) { return c.visible, c.visible != "" }
			got := photographMachine(t.Context(), system, coresOf(c.instanceType), getenv)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNeuronLSCountsTheCoresOnlyOfAnUnknownInstanceType(t *testing.T) {
	system, bin := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(system, "dev/neuron0"), "")
	writeFile(t, filepath.Join(bin, "neuron-ls"), `#!/bin/sh
[ "$*" = -j ] && echo '[{"nc_count":2},{"nc_count":6}]'
`)
	if err := os.Chmod(filepath.Join(bin, "neuron-ls"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	getenv := func(string) (string, bool) { return "", false }
	if got := photographMachine(t.Context(), system, coresOf("ml.trn9.large"), getenv).NeuronCores; got != 8 {
		t.Errorf("%d cores, want 8", got)
	}
	if got := photographMachine(t.Context(), system, coresOf("ml.inf2.xlarge"), getenv).NeuronCores; got != 2 {
		t.Errorf("%d cores, want 2 without asking", got)
	}
}

func TestCPUsAreCountedAsPythonCountsThem(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: apt-get install python3")
	}
	out, err := exec.Command(python, "-c", "import os; print(os.cpu_count())").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(out)); strconv.Itoa(onlineCPUs("/")) != want {
		t.Errorf("%d, Python says %s", onlineCPUs("/"), want)
	}
}

func TestTheArgumentLimitIsAQuarterOfTheStackWithinTheKernelsBounds(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &was); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_STACK, &was) })
	for stack, want := range map[uint64]int{64 << 10: 128 << 10, 8 << 20: 2 << 20, 64 << 20: 6 << 20} {
		if err := syscall.Setrlimit(syscall.RLIMIT_STACK, &syscall.Rlimit{Cur: stack, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		if got := argMax(); got != want {
			t.Errorf("stack of %d: %d, want %d", stack, got, want)
		}
	}
}

func TestADataDirectoryThatCannotBeListedDoesNotHideItsChannels(t *testing.T) {
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "train/x"), "x")
	entries := photographData(root, []string{"train", "val", "../up"}, noLook)
	if diff := cmp.Diff(map[string]contract.Entry{"train": {Kind: contract.KindDir}}, entries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.Chmod(root, 0o111); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(root, 0o700) }) // else an ordinary user cannot remove it
	if diff := cmp.Diff(entries, photographData(root, []string{"train", "val"}, noLook)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAMissingFileHasNoPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	writeFile(t, path, "k")
	if err := os.Chmod(path, 0o642); err != nil {
		t.Fatal(err)
	}
	if mode := permissions(path); mode != 0o642 {
		t.Errorf("%04o", mode)
	}
	if mode := permissions(path + ".gone"); mode != 0 {
		t.Errorf("of no file: %04o", mode)
	}
}

// noQuestions asks for nothing besides the contract's files.
func noQuestions(*contract.Snapshot) contract.Questions { return contract.Questions{} }

// coresOf is what plan.Questions asks for an instance type.
func coresOf(instanceType string) int {
	cores, _ := contract.CoresPerNeuronDevice(instanceType)
	return cores
}

// TestKeyFileThatLinksToNothing: such a link is a mistake, unlike no file.
func TestKeyFileThatLinksToNothing(t *testing.T) {
	dir := t.TempDir()
	link, file, none := dir+"/link", dir+"/file", dir+"/none"
	if err := errors.Join(os.Symlink(none, link), os.WriteFile(file, []byte("k"), 0o640)); err != nil {
		t.Fatal(err)
	}
	if key, _ := readKey(link); key.Problem != "is a link to nothing" {
		t.Errorf("a link to nothing: %+v", key)
	}
	if key, mode := readKey(none); key.Problem != "" || key.Data != nil || mode != 0 {
		t.Errorf("no file: %+v, %o", key, mode)
	}
	if key, mode := readKey(file); string(key.Data) != "k" || mode != 0o640 {
		t.Errorf("a file: %+v, %o", key, mode)
	}
}

func TestProgramsSayWhetherTheyRunAndByWhat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, c := range []struct {
		text string
		mode os.FileMode
		want contract.Entry
	}{
		{"#!/bin/sh\necho\n", 0o755, contract.Entry{Shebang: []string{"/bin/sh"}}},
		{"#! \t/bin/env  python3 -u \nx", 0o755, contract.Entry{Shebang: []string{"/bin/env", "python3 -u"}}},
		{"#!/bin/sh", 0o644, contract.Entry{Unrunnable: "is not executable", Shebang: []string{"/bin/sh"}}},
		{"echo\n#!/bin/sh\n", 0o600, contract.Entry{Unrunnable: "is not executable"}},
		{"#!\n", 0o755, contract.Entry{}},
		{"\x7fELF", 0o755, contract.Entry{ELF: true}},
		{"\ufeff#!/bin/sh\n", 0o755, contract.Entry{Marked: true}},
		{"\ufeffecho\n", 0o755, contract.Entry{}},
		{"#!/no/such -x\n", 0o755, contract.Entry{Shebang: []string{"/no/such", "-x"}, NoInterpreter: true}},
		{"#!/bin/sh\r\n", 0o755, contract.Entry{Shebang: []string{"/bin/sh\r"}, NoInterpreter: true}},
		{"", 0o755, contract.Entry{}},
	} {
		writeFile(t, path, c.text)
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		var got contract.Entry
		photographProgram(path, &got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q, mode %o (-want +got):\n%s", c.text, c.mode, diff)
		}
	}
}

// noLook is a Look of somebody who does not care.
func noLook(string) {}

// TestPythonIsAskedForAModule: the first Python in PATH answers, and what is no Python has no module.
func TestPythonIsAskedForAModule(t *testing.T) {
	for text, want := range map[string]bool{
		"#!/bin/sh\ntest \"$3\" = mpi4py\n": true, "#!/bin/sh\nexit 1\n": false, "not executable": false, "": false,
	} {
		dir := t.TempDir()
		if text != "" {
			if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		s := &contract.Snapshot{Env: []string{"PATH=" + dir}, Programs: map[string]bool{"python3": text != ""}}
		if got := hasModule(t.Context(), "mpi4py", s); got != want {
			t.Errorf("a Python that is %q: %v", text, got)
		}
	}
}
