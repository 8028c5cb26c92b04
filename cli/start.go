//go:build linux

package cli

import (
	"errors"
	"strconv"
	"strings"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// start is what run and exec have in common: they prepare a trainer and start it.
type start struct {
	*command
	verb   string
	do     func(*bootstrap.Doer, *plan.Plan) error
	dryRun bool // print the plan instead
}

// act decides what to do, and does it.
func (s *start) act(ctx *cli.Context) error {
	if s.dryRun {
		return s.show(ctx)
	}
	doer := s.newDoer()
	end := doer.Phase("read")
	in, err := s.inspectBy(doer, plan.ScopeLaunch)
	if err != nil {
		return err
	}
	s.log.warnings(in.Problems)
	plan, err := s.decide(ctx, in)
	end()
	if err == nil && plan.Source != nil {
		if in, err = doer.Bring(in, plan.Source, s.options()); err == nil {
			plan, err = s.decide(ctx, in)
		}
	}
	if err == nil {
		err = doer.Install(plan)
	}
	if err != nil {
		return doer.Fail(in, s.settings.options, s.verb, err)
	}
	if s.settings.logLevel == "debug" {
		s.describe(doer, in)
	}
	return s.do(doer, plan)
}

// decide makes the plan. It fails at the first kind of problem: unexpected words, then the contract.
func (s *start) decide(ctx *cli.Context, in *bootstrap.Inspection) (*plan.Plan, error) {
	if err := s.onlyTrain(ctx); err != nil {
		return nil, err
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return in.Plan(s.options())
}

// describe logs the plan without its secrets.
func (s *start) describe(doer *bootstrap.Doer, in *bootstrap.Inspection) {
	if masked, err := makePlan(in, s.options(), false); err == nil {
		doer.Describe(in, masked)
	}
}

// show prints the plan. It writes no file, waits for no host and tells nobody.
func (s *start) show(ctx *cli.Context) error {
	in, err := s.inspectBy(s.newDoer(), plan.ScopeLaunch)
	if err != nil {
		return err
	}
	s.log.warnings(in.Problems)
	if err := errors.Join(s.onlyTrain(ctx), in.Err()); err != nil {
		return err
	}
	plan, err := makePlan(in, s.options(), false)
	if err != nil {
		return err
	}
	return s.stdout.writeText(planText(plan, false))
}

// wantsDryRun looks for a dry run in words that nobody has parsed yet: then a mistake in the flags has no
// effect either.
func wantsDryRun(args, env []string) bool {
	dry := false
	if text, ok := plan.Getenv(env, "ENTRAIN_DRY_RUN"); ok {
		dry, _ = strconv.ParseBool(text)
	}
	for _, arg := range args[min(1, len(args)):] {
		name, text, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "dry-run" && strings.HasPrefix(arg, "-") {
			dry = true
			if assigned {
				dry, _ = strconv.ParseBool(text)
			}
		}
	}
	return dry
}
