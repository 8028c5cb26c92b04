//go:build linux

package cli

import (
	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// runVerb supervises the trainer as its init.
func (c *command) runVerb() *verb {
	s := &start{command: c, verb: "run", do: (*bootstrap.Doer).Run}
	flags := func() []cli.Flag { return c.settings.runFlags(&s.dryRun) }
	v := newVerb("run", "prepare, then run the trainer as its init (the default)", trainerWords, s.act, flags)
	v.Aliases, v.trains = []string{"train"}, true
	return v
}
