//go:build linux

package cli

import (
	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// execVerb replaces this program with the trainer.
func (c *command) execVerb() *verb {
	s := &start{command: c, verb: "exec", do: (*bootstrap.Doer).Exec}
	flags := func() []cli.Flag { return c.settings.trainerFlags(&s.dryRun) }
	v := newVerb("exec", "prepare, then become the trainer", trainerWords, s.act, flags)
	v.trains = true
	return v
}
