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

// version is set when a release is linked: -ldflags "-X entrain/cli.version=v1.2.3".
var version = "dev"

// build says what this program was made of. The keys of its JSON are fixed: other programs read them.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // empty where it was not built in a checkout
	Modified bool   `json:"modified"` // the checkout had changes that were not committed
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	// Build is static, or dynamic where it was linked with C; and "own entry point" where the program knows which signals
	// were ignored when it was started, else "plain build".
	Build string `json:"build"`
}

func buildInfo() build {
	b := build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Build: "static"}
	var settings []debug.BuildSetting
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
		}
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

func (c *command) versionFlags() []cli.Flag {
	return []cli.Flag{toggle("json", "print it as JSON", &c.settings.json)}
}

func (c *command) printVersion(*cli.Context) error {
	if c.settings.json {
		return c.printJSON(buildInfo())
	}
	return c.print(buildInfo().String() + "\n")
}
