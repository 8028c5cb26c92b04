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

// defaultPath is where execvp(3) looks when PATH is unset.
const defaultPath = "/bin:/usr/bin"

// lookPath finds a program as execvp(3) does, in the PATH that the program will get: a name with a slash is a
// path; an empty element of PATH is the working directory; a file that may not be executed is passed over
// and remembered. os/exec's own is stricter and refuses relative results.
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
	return "", notFound(name, "not found in PATH "+search)
}

// notFound knows that a whole command in one word is no program's name.
func notFound(name, text string) *StartError {
	e := &StartError{Program: name, Code: 127, Err: errors.New(text)}
	if words := strings.Fields(name); len(words) > 1 {
		e.Hint = fmt.Sprintf("it is one word with a space in it, expected %d words: %s", len(words), strings.Join(words, " "))
	}
	return e
}

// Find is the path of a program, as the trainer's is found; its error is a *StartError's cause.
func Find(name string, env []string) (string, error) {
	path, err := lookPath(name, env, "")
	if err != nil {
		return "", err.Err
	}
	return path, nil
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) || dir == "" {
		return path
	}
	return filepath.Join(dir, path)
}

var errDirectory = errors.New("is a directory")

func checkExecutable(name, path string) *StartError {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return notFound(name, "no such file")
	case err != nil:
		return startError(name, errors.Unwrap(err))
	case info.IsDir():
		return &StartError{Program: name, Code: 126, Err: errDirectory}
	case syscall.Access(path, 1) != nil: // X_OK, with the rights of this process
		return startError(name, syscall.EACCES)
	}
	return nil
}
