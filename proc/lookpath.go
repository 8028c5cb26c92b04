package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// defaultPath is the PATH that execvp(3) uses when PATH is unset.
const defaultPath = "/bin:/usr/bin"

// lookPath finds a program as execvp(3) does, in the PATH of env. A name with a slash is a path. An empty
// element of PATH is the directory dir. A file that may not be executed is skipped, and is the error if no
// other file is found. exec.LookPath of the standard library is stricter: it refuses relative results.
func lookPath(name string, env []string, dir string) (string, *StartError) {
	if strings.Contains(name, "/") {
		return name, checkExecutable(name, resolve(dir, name))
	}
	search := defaultPath
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			search = value
			break
		}
	}
	var denied *StartError
	for element := range strings.SplitSeq(search, ":") {
		candidate := filepath.Join(resolve(dir, element), name)
		err := checkExecutable(name, candidate)
		if err == nil {
			return candidate, nil
		}
		if err.Code == 126 && denied == nil && !errors.Is(err.Err, errDirectory) {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	missing := notFound(name, "not found in PATH "+search)
	if missing.Hint == "" && name != "" && checkExecutable(name, resolve(dir, name)) == nil {
		missing.Hint = "a name without a slash is looked up in PATH only; ./" + name + " is the file here"
	}
	return "", missing
}

// notFound is the error of a program that does not exist. It has a hint where the name looks like a whole
// command.
func notFound(name, text string) *StartError {
	e := &StartError{Program: name, Code: 127, Err: errors.New(text)}
	if words := strings.Fields(name); len(words) > 1 {
		e.Hint = fmt.Sprintf("it is one word with a space in it, expected %d words: %s",
			len(words), strings.Join(words, " "))
	}
	return e
}

// Find gives the path of a program, found in the PATH of env as the trainer's program is. Its error says
// why there is none.
func Find(name string, env []string) (string, error) {
	path, err := lookPath(name, env, "")
	if err != nil {
		return "", err.Err
	}
	return path, nil
}

// CheckStart says why a program could not be started, as far as that shows without a start. It is nil for a
// program that can.
func CheckStart(cmd Cmd) *StartError {
	path, err := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if err != nil {
		return err
	}
	path = resolve(cmd.Dir, path)
	interpreter, _, _ := readInterpreter(path)
	words := strings.FieldsFunc(interpreter, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return nil
	}
	if _, statErr := os.Stat(words[0]); errors.Is(statErr, fs.ErrNotExist) {
		return startError(cmd.Argv[0], path, syscall.ENOENT)
	}
	return nil
}

// resolve is a path as seen from dir.
func resolve(dir, path string) string {
	if filepath.IsAbs(path) || dir == "" {
		return path
	}
	return filepath.Join(dir, path)
}

var errDirectory = errors.New("is a directory")

// checkExecutable says why this process cannot execute a file. Name is the program as the user wrote it.
func checkExecutable(name, path string) *StartError {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return notFound(name, "no such file")
	case err != nil:
		return startError(name, path, errors.Unwrap(err))
	case info.IsDir():
		return &StartError{Program: name, Code: 126, Err: errDirectory}
	case syscall.Access(path, 1) != nil: // X_OK, with the rights of this process
		return startError(name, path, syscall.EACCES)
	}
	return nil
}
