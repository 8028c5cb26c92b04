//go:build linux

package cli

import (
	"github.com/urfave/cli/v2"

	"entrain/bootstrap/plan"
)

// hostfileVerb prints the hosts in the words of an MPI launcher.
func (c *command) hostfileVerb() *verb {
	formats := plan.HostfileFormats()
	format := formats[0]
	flags := func() []cli.Flag {
		return c.settings.jobFlags(formatFlag(&format, formats), c.settings.slotsFlag())
	}
	return newVerb("hostfile", "print a hostfile for MPI", "", func(*cli.Context) error {
		in, err := c.load()
		if err != nil {
			return err
		}
		text, err := in.Hostfile(format, c.settings.options.Slots)
		if err != nil {
			return err
		}
		return c.stdout.writeText(text)
	}, flags)
}
