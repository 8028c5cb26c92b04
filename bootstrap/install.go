package bootstrap

import (
	"context"
	"fmt"
	"syscall"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/proc"
)

// Install installs what the job's code needs, before the trainer starts. The error is a *report.InstallError,
// or a *proc.SignalError where a stop has ended the installation.
func (d *Doer) Install(p *plan.Plan) error {
	if len(p.Install) == 0 {
		return nil
	}
	defer d.log.Phase("install")()
	d.prepareOwn(p) // so that nothing of an earlier run stays where pip fails
	d.log.Installing(p.Install, p.Command.Dir)
	cmd := proc.Cmd{Argv: p.Install, Env: p.Command.Env, Dir: p.Command.Dir}
	exit, err := proc.Run(context.Background(), d.signals, cmd, proc.Options{Grace: p.End.Grace})
	switch {
	case err != nil:
		return err
	case exit.Stopped:
		return fmt.Errorf("installing the code: %w", &proc.SignalError{Signal: syscall.SIGTERM})
	}
	return report.InstallFailureOf(p.Install, exit)
}
