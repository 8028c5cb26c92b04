package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nextGo is a Go version that is newer than that in go.mod.
const nextGo = "go1.27.0"

// entrain is an init, whichever way somebody builds it. A build without the entry point does not know every
// signal that was ignored when it was started, and says so.
func TestEveryBuildIsAnInit(t *testing.T) {
	helper := needHelper(t)
	for name, build := range map[string]struct {
		env, argv []string
		entry     bool
	}{
		"plain":       {nil, []string{"go", "build", "-o"}, false},
		"PIE":         {nil, []string{"go", "build", "-buildmode=pie", "-o"}, false},
		"the next Go": {[]string{"GOTOOLCHAIN=" + nextGo}, []string{"scripts/build"}, true},
		"PIE by entry": {
			nil, []string{"go", "build", "-buildmode=pie", "-ldflags", "-E _entrain_start", "-o"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "entrain")
			cmd := exec.Command(build.argv[0], append(build.argv[1:], binary)...)
			cmd.Dir, cmd.Env = top, append(os.Environ(), build.env...)
			if build.argv[0] == "go" {
				cmd.Args = append(cmd.Args, ".")
			}
			if build.env != nil && exec.Command("env", append(build.env, "go", "version")...).Run() != nil {
				t.Skip(nextGo + " cannot be had from the module proxy")
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			version, err := exec.Command(binary, "version").Output()
			if err != nil || strings.Contains(string(version), "own entry point") != build.entry {
				t.Errorf("it says %q, %v", version, err)
			}
			runCases(t, binary, helper, func(what string, _ bool) bool {
				return what != inheritanceCase || build.entry
			})
		})
	}
}

// runCases runs the cases of TestInit that a build must pass: those that passes says so of.
func runCases(t *testing.T, binary, helper string, passes func(what string, pid1 bool) bool) {
	t.Helper()
	argv := func(t *testing.T, dir string, flags []string, words ...string) []string {
		t.Helper()
		return runOf(t, binary, dir, flags, words)
	}
	program := initProgram{"entrain run", argv}
	for _, c := range initCases() {
		for _, pid1 := range []bool{false, true} {
			if !passes(c.what, pid1) {
				continue
			}
			t.Run(fmt.Sprintf("%02d %s/PID 1 %v", c.number, c.what, pid1), func(t *testing.T) {
				t.Parallel()
				if pid1 {
					needRoot(t, "for a PID namespace")
				}
				b := &bench{t: t, program: program, pid1: pid1, dir: t.TempDir(), helper: helper}
				if err := c.run(b); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A PIE is still an init after it has given back the memory that it started with. It once died of that.
func TestPIESurvivesAfterItsStart(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "entrain")
	build := exec.Command("go", "build", "-buildmode=pie", "-o", binary, ".")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	words := []string{"--", "sh", "-c", "sleep 1; exit 7"}
	cmd := exec.Command(binary, append([]string{"run", "--root", tree(t), "--args-style", "none"}, words...)...)
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("exit code %d, expected 7\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// entrain compiles for the other architectures of Linux, and for other systems, where it says that it runs
// on Linux.
func TestItCompilesForOtherSystems(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"linux/riscv64", "linux/ppc64le", "linux/arm64", "darwin/arm64", "windows/amd64",
	} {
		system, machine, _ := strings.Cut(target, "/")
		cmd := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "entrain"), ".")
		cmd.Dir, cmd.Env = top, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", target, err, out)
		}
	}
}
