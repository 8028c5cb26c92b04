package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"entrain/hostwait"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// Doer carries out a Plan.
type Doer struct {
	log     zerolog.Logger
	signals *proc.Signals
}

// NewDoer takes over the process's signals: as PID 1 one that nobody catches is lost.
func NewDoer(log zerolog.Logger) (*Doer, error) {
	signals, err := proc.Catch()
	return &Doer{log: log, signals: signals}, err
}

// Relay is proc.Relay.
func Relay(args, env []string) error { return proc.Relay(args, env) }

// Run prepares and supervises the trainer. A trainer that does not succeed is a *proc.ExitError.
func (d *Doer) Run(plan *Plan) error {
	if err := d.prepare(plan); err != nil {
		return err
	}
	exit, err := proc.Run(context.Background(), d.signals, plan.cmd(), proc.Options(plan.End))
	if err == nil && exit.Code != 0 {
		err = &proc.ExitError{Program: plan.Command.Argv[0], Exit: exit}
	}
	return err
}

// Exec prepares and becomes the trainer; it returns only if that failed.
func (d *Doer) Exec(plan *Plan) error {
	if os.Getpid() == 1 {
		d.log.Warn().Msg("exec as PID 1: the trainer has no init, so signals and exit codes get lost; use entrain run, or docker run --init")
	}
	if err := d.prepare(plan); err != nil {
		return err
	}
	return proc.Exec(plan.cmd())
}

func (p *Plan) cmd() proc.Cmd { return proc.Cmd(p.Command) }

// prepare does what comes before the trainer.
func (d *Doer) prepare(plan *Plan) error {
	for _, note := range plan.Notes {
		d.log.Info().Msg(note)
	}
	_ = os.Remove(plan.Failure) // an earlier run's, on a laptop: what is there at the end is the trainer's
	for _, f := range plan.Files {
		if err := writeAtomically(f.Path, bytes.NewReader(f.Data), fs.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return d.await(plan.Wait)
}

// Await only waits until the names of the job's hosts resolve.
func (d *Doer) Await(in *Inspection, o Options) error { return d.await(decideWait(in.Job, o)) }

func (d *Doer) await(w Wait) error {
	if len(w.Hosts) == 0 {
		return nil
	}
	probe, o, err := d.probe(w)
	if err != nil {
		return err
	}
	ctx, release := d.signals.Context(context.Background())
	start := time.Now()
	o.Timeout = w.Timeout
	o.Progress = func(elapsed time.Duration, missing []hostwait.Missing) {
		d.log.Info().Msgf("waiting for %d of %d hosts since %s: %v", len(missing), len(w.Hosts), elapsed, missing)
	}
	err = hostwait.All(ctx, probe, w.Hosts, o)
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(ctx)); ok {
		err = stop // it may have come when all names were there
	}
	if err != nil {
		return fmt.Errorf("waiting for host names: %w", err)
	}
	d.log.Debug().Msgf("%d host names resolve after %s", len(w.Hosts), time.Since(start).Round(time.Millisecond))
	return nil
}

// probe says how to ask: the DNS, and unless that is all the hosts file beside it.
func (d *Doer) probe(w Wait) (hostwait.Probe, hostwait.Options, error) {
	servers, err := hostwait.ReadResolvConf("/etc/resolv.conf")
	if w.DNSOnly {
		if err != nil {
			return nil, hostwait.Options{}, &UsageError{Err: fmt.Errorf("--dns-only: %w", err)}
		}
		return hostwait.Lookup(servers.Lookup).Probe, hostwait.Options{}, nil
	}
	file := &hostwait.HostsFile{Path: "/etc/hosts"}
	if err == nil {
		file.Compare = servers.Lookup
		file.Disagree = func(host string, file, dns []netip.Addr) {
			d.log.Warn().Msgf("host %s is %v in /etc/hosts and %v in the DNS: one of them is wrong (--dns-only leaves out /etc/hosts)", host, file, dns)
		}
	}
	return hostwait.Lookup(hostwait.System).Probe, hostwait.Options{Hint: hostwait.Lookup(file.Lookup).Probe}, nil
}
