//go:build linux

package cli

import (
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// waitFor waits until a file has text, at most 20 seconds.
func waitFor(ts *testscript.TestScript, name string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		if info, err := os.Stat(ts.MkAbs(name)); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s has no text after 20 s", name)
}
