package main

import (
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// page FILE: writes the examples of a page of the documentation, those that begin with a name, as files.
func page(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(args[0])
	ts.Check(err)
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]+ ([a-z.]+)\n(.*?)^```$").FindAllSubmatch(text, -1) {
		ts.Check(os.WriteFile(ts.MkAbs(string(block[1])), block[2], 0o600))
	}
}
