package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// startError is the error of a program that execve(2) refused, with the exit code and a hint that fit. Path
// is the program's file.
func startError(program, path string, err error) *StartError {
	e := &StartError{Program: program, Code: 126, Err: err}
	switch {
	case errors.Is(err, syscall.E2BIG):
		e.Hint = "arguments and environment are too long together"
	case errors.Is(err, syscall.ENOEXEC):
		e.Hint = "it is built for another architecture, or is a script without a first line such as #!/bin/sh"
	case errors.Is(err, syscall.ELOOP) && exists(path): // not a loop of links: the kernel uses the error twice
		e.Err = errors.New("its interpreter is a script, whose interpreter is a script, and so on")
		e.Hint = "name a program in the first line, such as #!/bin/sh"
	case errors.Is(err, syscall.ENOENT):
		e.Code = 127
		e.Hint = hintForInterpreter(path)
	case errors.Is(err, syscall.EACCES):
		e.Hint = hintForAccess(path)
	}
	return e
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hintForAccess says what helps against a file that cannot be executed. That depends on where it is, and on
// what is in it.
func hintForAccess(path string) string {
	hint := "chmod +x it, in the Dockerfile if the image has it"
	var mount unix.Statfs_t
	if unix.Statfs(path, &mount) == nil && mount.Flags&unix.ST_NOEXEC != 0 {
		hint = "its mount runs no programs (noexec)"
	}
	interpreter, found, isELF := readInterpreter(path)
	switch {
	case isELF:
	case strings.HasSuffix(interpreter, "\r"):
		return hint + "; " + hintForReturn
	case found && strings.TrimSpace(interpreter) != "":
		hint += "; it can also be started by its interpreter: " + strings.TrimSpace(interpreter) + " " + path
	case strings.HasSuffix(path, ".py"):
		hint += "; it can also be started by python3 " + path
	default:
		hint += "; a script can also be started by its interpreter, such as /bin/sh " + path
	}
	return hint
}

const hintForReturn = "its first line ends with a carriage return: save it with the line ends of Unix"

// readInterpreter returns what follows #! in the first line of a file, or that the file is machine code.
func readInterpreter(path string) (interpreter string, found, isELF bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", false, false
	}
	defer func() { _ = f.Close() }()
	line, _ := bufio.NewReader(f).ReadSlice('\n')
	interpreter, found = strings.CutPrefix(strings.TrimRight(string(line), "\n"), "#!")
	return interpreter, found, bytes.HasPrefix(line, []byte("\x7fELF"))
}

// hintForInterpreter names the interpreter of a file that exists and cannot be started for lack of one.
func hintForInterpreter(path string) string {
	interpreter, found, _ := readInterpreter(path)
	switch {
	case !found:
		return "the file exists, but the interpreter that its first line or its ELF header names does not"
	case strings.HasSuffix(interpreter, "\r"):
		return hintForReturn
	}
	return fmt.Sprintf("its first line names the interpreter %q, which does not exist",
		strings.TrimSpace(interpreter))
}
