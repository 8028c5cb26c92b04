//go:build linux

package cli

import (
	"os"
	"strings"

	"entrain/bootstrap/scaffold"

	"github.com/urfave/cli/v2"
)

// installVerb copies this program.
func installVerb() *verb {
	return newVerb("install", "copy this program, for init containers", "PATH", install, nil)
}

func install(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if strings.HasSuffix(ctx.Args().First(), "/") {
		path += "/" // filepath.Abs has removed it
	}
	return scaffold.Install(self, path)
}
