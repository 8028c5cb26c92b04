//go:build linux

package cli

import "github.com/urfave/cli/v2"

// waitVerb waits for the other hosts.
func (c *command) waitVerb() *verb {
	return newVerb("wait", "wait until all hosts of the job are ready", "", c.wait, c.settings.waitFlags)
}

func (c *command) wait(*cli.Context) error {
	doer := c.newDoer()
	in, err := c.loadBy(doer)
	if err != nil {
		return doer.Fail(in, c.settings.options, "wait", err)
	}
	p, err := in.WaitPlan(c.settings.options)
	if err != nil {
		return doer.Fail(in, c.settings.options, "wait", err)
	}
	return doer.Await(p)
}
