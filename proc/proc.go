// Package proc starts the trainer, supervises it as an init does, and ends it. It does not know the contract.
package proc

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Cmd is a program to start.
type Cmd struct {
	Argv []string // the program as the user wrote it, and its arguments
	Env  []string // KEY=VALUE
	Dir  string   // the working directory
}

// StartError says why a program could not be started.
type StartError struct {
	Program string
	Code    int // as a shell gives it: 126 for found but not executable, 127 for not found
	Err     error
	Hint    string
}

func (e *StartError) Error() string {
	s := fmt.Sprintf("%s: %v", e.Program, e.Err)
	if e.Hint != "" {
		s += "\nhint: " + e.Hint
	}
	return s
}

func (e *StartError) Unwrap() error { return e.Err }

// outputTimeout is how long a helper program that was killed may hold its output open.
const outputTimeout = time.Second

// Output runs a helper program and gives what it wrote to stdout. It kills the program with its process
// group when the time bound is over or ctx ends, and then does not wait for processes that hold the output
// open.
func Output(ctx context.Context, bound time.Duration, argv ...string) ([]byte, error) {
	var stderr bytes.Buffer
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	cmd := exec.CommandContext(bounded, argv[0], argv[1:]...)
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the kernel kills the program when the thread that has started it ends
	defer runtime.UnlockOSThread()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputTimeout
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", argv[0], context.Cause(ctx))
	case bounded.Err() != nil:
		words := append([]string{filepath.Base(argv[0])}, argv[1:]...)
		return nil, fmt.Errorf("%s did not answer within %g s", strings.Join(words, " "), bound.Seconds())
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %s", argv[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
