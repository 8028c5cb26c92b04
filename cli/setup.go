//go:build linux

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

func (c *command) install(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if strings.HasSuffix(ctx.Args().First(), "/") {
		path += "/" // which filepath.Abs takes away
	}
	return bootstrap.Install(self, path)
}

func (c *command) keygen(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	if given := ctx.Args().First(); strings.HasSuffix(given, "/") {
		return &bootstrap.UsageError{Err: fmt.Errorf("%s names a directory, expected the name of a file\nhint: entrain keygen %s",
			given, bootstrap.ShellQuote(given+"cluster.key"))}
	}
	return bootstrap.WriteKey(path, c.settings.owner)
}

func (c *command) keygenFlags() []cli.Flag {
	set := func(text string) (err error) {
		c.settings.owner, err = bootstrap.ParseOwner(text)
		return err
	}
	return []cli.Flag{&option{name: "owner", arg: "UID[:GID]", usage: "who can read the key, such as the image's user (default: who calls)", set: set}}
}

// onePath is the single argument of a verb, absolute.
func onePath(ctx *cli.Context, name string) (string, error) {
	words := ctx.Args().Slice()
	if len(words) == 1 && words[0] != "" {
		return filepath.Abs(words[0])
	}
	return "", &bootstrap.UsageError{Err: fmt.Errorf("entrain %s takes one argument %s, got %d", ctx.Command.Name, name, len(words))}
}
