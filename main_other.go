//go:build !linux

// Command entrain is the ENTRYPOINT of a training container.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "entrain: error: entrain runs on Linux, and this is a build for %s\nhint: GOOS=linux go build\n", runtime.GOOS)
	os.Exit(70)
}
