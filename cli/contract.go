//go:build linux

package cli

import (
	"context"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"
)

// request says what to look at for a verb.
func (c *command) request(scope plan.Scope) bootstrap.Request {
	return bootstrap.Request{
		Root: c.settings.root, Env: c.env, Spec: c.settings.spec, Options: c.options(), Scope: scope,
		Slow: c.log.slow,
	}
}

// inspect reads the contract, and what else a request asks for.
func (c *command) inspect(r bootstrap.Request) *bootstrap.Inspection {
	in := bootstrap.Inspect(context.Background(), r)
	c.log.learn(in)
	return in
}

// load reads the contract for a verb that needs no data. It logs the warnings; the error holds all other
// problems.
func (c *command) load() (*bootstrap.Inspection, error) {
	in := c.inspect(c.request(plan.ScopeContract))
	c.log.warnings(in.Problems)
	return in, in.Err()
}

// inspectBy reads the contract, and what else the scope asks for, while the doer listens to the signals.
func (c *command) inspectBy(doer *bootstrap.Doer, scope plan.Scope) (*bootstrap.Inspection, error) {
	in, err := doer.Inspect(c.request(scope))
	if err != nil {
		return nil, err
	}
	c.log.learn(in)
	return in, nil
}

// loadBy is load while the doer listens to the signals.
func (c *command) loadBy(doer *bootstrap.Doer) (*bootstrap.Inspection, error) {
	in, err := c.inspectBy(doer, plan.ScopeContract)
	if err != nil {
		return nil, err
	}
	c.log.warnings(in.Problems)
	return in, in.Err()
}

// options are those of the settings, and the trainer's command.
func (c *command) options() plan.Options {
	o := c.settings.options
	o.Command = c.trainer
	o.CalledTrain = c.trainer == nil && c.args[len(c.args)-1] == "train"
	return o
}
