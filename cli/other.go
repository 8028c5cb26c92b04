//go:build !linux

package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// codeInternal is bootstrap.CodeInternal, which exists on Linux alone.
const codeInternal = 70

// Main says that this program is for Linux, and returns the exit code.
func Main(_, _ []string, _, stderr io.Writer) int {
	const message = "entrain: error: entrain runs on Linux, and this is a build for %s\n" +
		"hint: GOOS=linux go build\n"
	_, _ = fmt.Fprintf(stderr, message, runtime.GOOS)
	return codeInternal
}

// Stderr is standard error.
func Stderr() io.Writer { return os.Stderr }
