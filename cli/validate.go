//go:build linux

package cli

import (
	"errors"
	"fmt"
	"strings"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// validateVerb checks the contract.
func (c *command) validateVerb() *verb {
	v := &validation{command: c, format: validateFormats()[0]}
	return newVerb("validate", "check the contract and print every problem", optionalTrainerWords,
		v.print, v.flags)
}

func validateFormats() []string { return []string{"text", "json"} }

// validation is the verb validate.
type validation struct {
	*command
	format string
}

// flags include those that decide which jobs run can serve.
func (v *validation) flags() []cli.Flag {
	s := &v.settings
	return append(s.jobFlags(formatFlag(&v.format, validateFormats()), s.launcherFlag(), s.mpirunFlag(),
		s.slotsFlag()), s.styleFlags()...)
}

// print prints every problem to standard output. The error says the same, for the exit code.
func (v *validation) print(*cli.Context) error {
	request := v.request(plan.ScopeLaunch)
	request.Algorithm, request.Start = true, true
	in := v.inspect(request)
	err := in.Err()
	if err != nil {
		err = printedError{err}
	}
	if v.format == "json" {
		problems := append([]bootstrap.Problem{}, in.Problems...) // [] instead of null
		return errors.Join(v.stdout.writeJSON(jsonObject{"valid": err == nil, "problems": problems}), err)
	}
	var b strings.Builder
	for _, p := range in.Problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s: %v\n", kind, p)
	}
	if err == nil {
		b.WriteString(v.firstSteps(in))
		fmt.Fprintf(&b, "%s: the contract is valid\n", v.settings.root)
	}
	return errors.Join(v.stdout.writeText(b.String()), err)
}

// firstSteps says what run would unpack and install before the trainer starts. It is empty for nothing.
func (v *validation) firstSteps(in *bootstrap.Inspection) string {
	p, err := in.Plan(v.options())
	if err != nil {
		return "" // the job names no command, or run would say what is wrong with it
	}
	return planSource(p)
}
