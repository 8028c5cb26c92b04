//go:build linux

package cli

import (
	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// specVerb writes a TrainingSpecification that the contract satisfies.
func (c *command) specVerb() *verb {
	return newVerb("spec", "write a first specification of the algorithm, from a contract", "",
		c.spec, c.settings.contractFlags)
}

// spec does not check the contract against an older specification: the new one replaces it.
func (c *command) spec(*cli.Context) error {
	c.settings.spec = bootstrap.NoSpec
	in, err := c.load()
	if err != nil {
		return err
	}
	return c.stdout.writeText(in.Spec())
}
