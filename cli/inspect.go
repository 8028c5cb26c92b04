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

// inspect reads the contract.
func (c *command) inspect() *bootstrap.Inspection {
	return c.inspected(bootstrap.Inspect(context.Background(), c.settings.root, c.env, c.settings.spec, c.trainer...))
}

// inspected keeps what the log needs of a contract.
func (c *command) inspected(in *bootstrap.Inspection) *bootstrap.Inspection {
	c.host, c.mask = in.Host(), in.Mask
	return in
}

// load reads a contract for which nobody needs the data; warnings go to the log.
func (c *command) load() (*bootstrap.Inspection, error) {
	in := c.inspect()
	c.warn(in)
	return in, in.Err()
}

// inspectBy reads the contract while the doer listens for signals. More is what else there is to look at.
func (c *command) inspectBy(doer *bootstrap.Doer, more func(context.Context, *bootstrap.Inspection)) (*bootstrap.Inspection, error) {
	in, err := doer.Inspect(c.settings.root, c.env, c.settings.spec, c.trainer, more)
	if err != nil {
		return nil, err
	}
	return c.inspected(in), nil
}

// loadBy is load while the doer listens for signals.
func (c *command) loadBy(doer *bootstrap.Doer) (*bootstrap.Inspection, error) {
	in, err := c.inspectBy(doer, func(context.Context, *bootstrap.Inspection) {})
	if err != nil {
		return nil, err
	}
	c.warn(in)
	return in, in.Err()
}

func (c *command) warn(in *bootstrap.Inspection) { c.warnOf(in.Problems) }

func (c *command) warnOf(problems []bootstrap.Problem) {
	for _, p := range problems {
		if p.Warning {
			c.warnAbout(p)
		}
	}
}

// warnAbout logs a problem that is no error for this verb.
func (c *command) warnAbout(p bootstrap.Problem) {
	log := c.logger()
	log.Warn().Str("event", "problem").Str("file", p.File).Msg(p.String())
}

func (c *command) validate(*cli.Context) error {
	in := c.inspect().WithData().WithAsks(c.options())
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
