//go:build linux

package cli

import (
	"github.com/urfave/cli/v2"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"
)

// hostfileOptions say what the verb hostfile prints.
type hostfileOptions struct {
	format    string
	addresses bool
}

// hostfileVerb prints the hosts in the words of a launcher or a library.
func (c *command) hostfileVerb() *verb {
	formats := plan.HostfileFormats()
	o := &hostfileOptions{format: formats[0]}
	flags := func() []cli.Flag {
		return append(c.settings.jobFlags(formatFlag(&o.format, formats), c.settings.slotsFlag(),
			toggle("addresses", "wait for the names of the hosts as wait does, and print their addresses instead "+
				"(always with lightgbm, which takes no names)", &o.addresses)), c.settings.nameFlags()...)
	}
	return newVerb("hostfile", "print a hostfile for MPI and others", "", func(*cli.Context) error {
		return c.printHostfile(o)
	}, flags)
}

func (c *command) printHostfile(o *hostfileOptions) error {
	in, addresses, err := c.hostsOf(o)
	if err != nil {
		return err
	}
	text, err := in.Hostfile(o.format, c.settings.options.Slots, addresses)
	if err != nil {
		return err
	}
	return c.stdout.writeText(text)
}

// hostsOf reads the contract, and the addresses of the hosts if they are needed.
func (c *command) hostsOf(o *hostfileOptions) (*bootstrap.Inspection, map[string]string, error) {
	if !o.addresses && !plan.NeedsAddresses(o.format) {
		in, err := c.load()
		return in, nil, err
	}
	doer := c.newDoer()
	in, err := c.loadBy(doer)
	if err != nil {
		return nil, nil, err
	}
	addresses, err := doer.Addresses(in, c.settings.options)
	return in, addresses, err
}
