//go:build linux

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// page FILE [WORD] takes an example out of a page of the documentation. It writes the files that the page
// shows. With WORD it also writes the first commands that contain the word to example.sh, and the output that
// the page shows for them to output.txt. Package tests runs all commands of all pages, in containers too.
func page(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join("..", args[0]))
	ts.Check(err)
	found := false
	block := regexp.MustCompile("(?ms)^(?:<!-- ([a-z]+) ?([a-z.]*) -->\n)?```([a-z]+)\n(.*?)^```$")
	for _, parts := range block.FindAllStringSubmatch(string(text), -1) {
		word, file, language, body := parts[1], parts[2], parts[3], parts[4]
		switch {
		case word == "as":
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(body), 0o600))
		case word == "" && language == "sh" && len(args) > 1 && strings.Contains(body, args[1]):
			ts.Check(os.WriteFile(ts.MkAbs("example.sh"), []byte(body), 0o600))
			found = true
		case word == "prints" && found:
			ts.Check(os.WriteFile(ts.MkAbs("output.txt"), []byte(body), 0o600))
			return
		}
	}
	if len(args) > 1 {
		ts.Fatalf("%s has no commands with %q and their output", args[0], args[1])
	}
}
