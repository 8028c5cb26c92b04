//go:build linux

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"entrain/bootstrap/plan"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"entrain": program})
}

// program does what main.go does. Testscript runs the test's own binary as entrain.
func program() { os.Exit(Main(os.Args, os.Environ(), os.Stdout, Stderr())) }

// TestScripts runs the command line as a user does. Each file in tests/scripts has one subject.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../tests/scripts",
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"field": field, "term": term, "rc": rc, "shape": shape, "waitfor": waitForAll, "page": page,
		},
	})
}

// condition is true for "root" if the user is root: nobody else can become another user.
func condition(name string) (bool, error) {
	if name != "root" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return os.Getuid() == 0, nil
}

// TestPlanShowsFirstOfEqualVariables: getenv(3) finds the first one too.
func TestPlanShowsFirstOfEqualVariables(t *testing.T) {
	plan := planJSON(&plan.Plan{Command: plan.Command{Env: []string{"A=1", "A=2", "B"}}})
	if got := fmt.Sprint(plan["command"].(jsonObject)["env"]); got != "map[A:1]" {
		t.Error(got)
	}
}

// field FILE PATH VALUE checks a value in a JSON file, by a path such as command/argv/0. With ! the value
// must differ.
func field(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for key := range strings.SplitSeq(args[1], "/") {
		switch node := v.(type) {
		case map[string]any:
			v = node[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			v = nil
			if i < len(node) {
				v = node[i]
			}
		default:
			v = nil
		}
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s of %s is %q", args[1], args[0], got)
	}
}

// shape FILE KEY… checks that a JSON object has exactly these keys.
func shape(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for _, key := range args[1:] {
		if _, ok := v[key]; !ok {
			ts.Fatalf("%s has no key %s", args[0], key)
		}
		delete(v, key)
	}
	if len(v) > 0 {
		ts.Fatalf("%s has more keys: %v", args[0], v)
	}
}

// term SIGNAL [FILE] waits until FILE has text, and sends a signal to the background commands.
func term(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(args) > 1 {
		waitFor(ts, args[1])
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(syscall.Kill(cmd.Process.Pid, syscall.Signal(n)))
	}
}

// waitForAll is the command waitfor FILE…: it waits until all files have text.
func waitForAll(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		waitFor(ts, file)
	}
}

// rc CODE COMMAND… runs a command and compares its exit code.
func rc(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}
