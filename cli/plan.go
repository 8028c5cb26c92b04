//go:build linux

package cli

import (
	"entrain/bootstrap"
	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// planVerb shows what run would do.
func (c *command) planVerb() *verb {
	p := &planning{command: c, format: planFormats()[0]}
	return newVerb("plan", "print what run would do", trainerWords, p.print, p.flags)
}

func planFormats() []string { return []string{"text", "json", "sh"} }

// planning is the verb plan.
type planning struct {
	*command
	format  string
	all     bool // show the inherited environment in the text too
	secrets bool // show secrets
	dryRun  bool // no difference: plan has no effect anyway
}

func (p *planning) flags() []cli.Flag {
	return append(p.settings.runFlags(&p.dryRun), formatFlag(&p.format, planFormats()),
		toggle("all", "in text, show the inherited environment too (json and sh always hold it)", &p.all),
		toggle("show-secrets", "show secrets instead of ******", &p.secrets))
}

// print prints the plan. A contract may be looked at without its data, so problems of the data are warnings
// here.
func (p *planning) print(ctx *cli.Context) error {
	if err := p.onlyTrain(ctx); err != nil {
		return err
	}
	request := p.request(plan.ScopeLaunch)
	request.Elsewhere = true
	in := p.inspect(request)
	p.log.warnings(in.Problems)
	if err := in.Err(); err != nil {
		return err
	}
	plan, err := makePlan(in, p.options(), p.secrets)
	if err != nil {
		return err
	}
	switch p.format {
	case "json":
		return p.stdout.writeJSON(planJSON(plan))
	case "sh":
		return p.stdout.writeText(planShell(plan))
	default:
		return p.stdout.writeText(planText(plan, p.all))
	}
}

// makePlan makes a plan to show. Its secrets are masked unless they are asked for.
func makePlan(in *bootstrap.Inspection, o plan.Options, secrets bool) (*plan.Plan, error) {
	plan, err := in.Plan(o)
	if err == nil && !secrets {
		o.Mask = true
		plan, err = in.Plan(o)
	}
	return plan, err
}
