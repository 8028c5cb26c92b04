// Command entrain is the ENTRYPOINT of a training container: it checks the contract under /opt/ml, waits for
// the peers, turns hyperparameters into flags and variables, and runs the trainer as its init.
package main

import (
	"os"
	"runtime"

	"entrain/cli"
)

func main() {
	runtime.MemProfileRate = 0 // nobody asks for a profile, and one sample takes a hundredth of the start
	os.Exit(cli.Main(os.Args, os.Environ(), os.Stdout, cli.Stderr()))
}
