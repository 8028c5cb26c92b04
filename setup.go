package main

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

func keygen(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	return bootstrap.WriteKey(path)
}

// onePath is the single argument of a verb, absolute.
func onePath(ctx *cli.Context, name string) (string, error) {
	words := ctx.Args().Slice()
	if len(words) == 1 && words[0] != "" {
		return filepath.Abs(words[0])
	}
	return "", &bootstrap.UsageError{Err: fmt.Errorf("entrain %s takes one argument %s, got %d", ctx.Command.Name, name, len(words))}
}
