//go:build linux

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// request says what to look at for a verb.
func (c *command) request(scope bootstrap.Scope) bootstrap.Request {
	return bootstrap.Request{
		Root: c.settings.root, Env: c.env, Spec: c.settings.spec, Options: c.options(), Scope: scope,
	}
}

// inspect reads the contract.
func (c *command) inspect(r bootstrap.Request) *bootstrap.Inspection {
	return c.inspected(bootstrap.Inspect(context.Background(), r))
}

// inspected keeps what the log needs of a contract.
func (c *command) inspected(in *bootstrap.Inspection) *bootstrap.Inspection {
	c.host, c.mask = in.Host(), in.Mask
	return in
}

// load reads a contract for which nobody needs the data; warnings go to the log.
func (c *command) load() (*bootstrap.Inspection, error) {
	in := c.inspect(c.request(bootstrap.ScopeContract))
	c.warn(in)
	return in, in.Err()
}

// inspectBy reads the contract while the doer listens for signals.
func (c *command) inspectBy(doer *bootstrap.Doer, scope bootstrap.Scope) (*bootstrap.Inspection, error) {
	in, err := doer.Inspect(c.request(scope))
	if err != nil {
		return nil, err
	}
	return c.inspected(in), nil
}

// loadBy is load while the doer listens for signals.
func (c *command) loadBy(doer *bootstrap.Doer) (*bootstrap.Inspection, error) {
	in, err := c.inspectBy(doer, bootstrap.ScopeContract)
	if err != nil {
		return nil, err
	}
	c.warn(in)
	return in, in.Err()
}

// warn logs what is wrong with a contract and no error for this verb.
func (c *command) warn(in *bootstrap.Inspection) {
	for _, p := range in.Problems {
		if p.Warning {
			log := c.logger()
			log.Warn().Str("event", "problem").Str("file", p.File).Msg(p.String())
		}
	}
}

func (c *command) validate(*cli.Context) error {
	in := c.inspect(c.request(bootstrap.ScopeTrainer))
	err := in.Err()
	if err != nil {
		err = printedError{err}
	}
	if c.settings.format == "json" {
		return errors.Join(c.printJSON(shown{"valid": err == nil, "problems": append([]bootstrap.Problem{}, in.Problems...)}), err)
	}
	var b strings.Builder
	for _, p := range in.Problems {
		fmt.Fprintf(&b, "%s: %v\n", map[bool]string{true: "warning", false: "error"}[p.Warning], p)
	}
	if err == nil {
		fmt.Fprintf(&b, "%s: the contract is valid\n", c.settings.root)
	}
	return errors.Join(c.print(b.String()), err)
}

// printedError is an error that has been shown already.
type printedError struct{ error }

func (p printedError) Unwrap() error { return p.error }
