package mpi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain runs the tests. Under another name, the test binary is the agent that a real launcher calls, or
// the rank that the launcher starts.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "test-rsh":
		fail("agent", agent(os.Args[1:]))
	case "test-rank":
		r, err := RankOf(os.Environ())
		fail("rank", err)
		set := strings.Join(r.Env(), " ")
		fmt.Printf("%s HOST_IS=%s LEADER=%s SET=%s %q\n",
			set, os.Getenv("HOST_IS"), os.Getenv("LEADER"), os.Getenv("SET"), os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

func fail(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "test %s: %v\n", what, err)
		os.Exit(3)
	}
}

// agent starts a launcher's daemon on this machine, with the environment of a host of its own. Each host also
// has its own directory for temporary files: Open MPI's daemons disturb each other in a common one.
func agent(words []string) error {
	for words[0] == "-x" {
		words = words[1:]
	}
	tmp := filepath.Join(filepath.Dir(os.Args[0]), words[0])
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return err
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "HOST_IS=" + words[0], "TMPDIR=" + tmp,
	}
	d, err := ParseDaemon(words[1:], env)
	if err != nil {
		return err
	}
	program, err := exec.LookPath(d.Argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, d.Argv, append(d.Env, env...))
}
