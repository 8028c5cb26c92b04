//go:build linux

package cli

import (
	"fmt"
	"strings"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/scaffold"

	"github.com/urfave/cli/v2"
)

// keygenVerb writes a cluster key.
func keygenVerb() *verb {
	k := &keygen{}
	return newVerb("keygen", "write a new cluster key", "PATH", k.write, k.flags)
}

// keygen is the verb keygen.
type keygen struct {
	owner *scaffold.Owner // of the key's file; nil for the user who calls
}

func (k *keygen) flags() []cli.Flag {
	return []cli.Flag{&option{
		name: "owner", valueName: "UID[:GID]",
		usage: "who can read the key, such as the image's user (default: who calls)",
		set: func(text string) (err error) {
			k.owner, err = scaffold.ParseOwner(text)
			return err
		},
	}}
}

func (k *keygen) write(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	if given := ctx.Args().First(); strings.HasSuffix(given, "/") {
		return &plan.UsageError{Err: fmt.Errorf(
			"%s names a directory, expected the name of a file\nhint: entrain keygen %s",
			given, plan.ShellQuote(given+"cluster.key"))}
	}
	return scaffold.WriteKey(path, k.owner)
}
