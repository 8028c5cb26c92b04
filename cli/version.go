//go:build linux

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// version is the version of a release. The linker sets it: -ldflags "-X entrain/cli.version=v1.2.3".
var version = "dev"

// versionVerb says what this program is.
func (c *command) versionVerb() *verb {
	asJSON := false
	flags := func() []cli.Flag { return []cli.Flag{toggle("json", "print it as JSON", &asJSON)} }
	return newVerb("version", "print the version and how it was built", "", func(*cli.Context) error {
		if asJSON {
			return c.stdout.writeJSON(buildInfo())
		}
		return c.stdout.writeText(buildInfo().String() + "\n")
	}, flags)
}

// build says how this program was built. The keys of its JSON stay as they are: other programs read them.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // empty if the build had no checkout
	Modified bool   `json:"modified"` // the checkout had changes that were not committed
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	// Build has these parts. The first is "static", or "dynamic" for a program that is linked with C. The next
	// one is "PIE", only for a position-independent executable. The last
	// is "own entry point" for a program that knows which signals were ignored at its start, else "plain build".
	Build string `json:"build"`
}

func buildInfo() build {
	b := build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Build: "static"}
	var settings []debug.BuildSetting
	pie := false
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		case "CGO_ENABLED":
			if s.Value == "1" {
				b.Build = "dynamic"
			}
		case "-buildmode":
			pie = s.Value == "pie"
		}
	}
	if pie {
		b.Build += ", PIE"
	}
	b.Build += ", " + bootstrap.Build()
	return b
}

func (b build) String() string {
	parts := []string{b.Go, b.OS + "/" + b.Arch, b.Build}
	switch {
	case b.Commit != "" && b.Modified:
		parts = append(parts, "commit "+b.Commit+" with changes")
	case b.Commit != "":
		parts = append(parts, "commit "+b.Commit)
	}
	return fmt.Sprintf("entrain %s (%s)", b.Version, strings.Join(parts, ", "))
}
