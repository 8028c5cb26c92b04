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

	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// Doer carries out a Plan.
type Doer struct {
	log     zerolog.Logger
	version string // of the program
	signals *proc.Signals
	ended   time.Time // of the trainer
}

// Catch takes over the process's signals. A PID 1 that does not catch one loses it, or dies of it without a word.
func Catch() *Signals { return proc.Catch() }

// Signals are those that were caught.
type Signals = proc.Signals

// NewDoer makes one that listens to signals that were caught.
func NewDoer(signals *Signals, log zerolog.Logger, version string) *Doer {
	return &Doer{log: log, version: version, signals: signals}
}

// Build says which of two builds this is. A plain one does not know every signal that was ignored when it was started.
func Build() string {
	if proc.RecordsInherited() {
		return "own entry point"
	}
	return "plain build"
}

// Relay is proc.Relay.
func Relay(args, env []string) error { return proc.Relay(args, env) }

// Run prepares and supervises the trainer. A trainer that does not succeed is a *proc.ExitError, another host's failure
// a *rendezvous.PeerError.
func (d *Doer) Run(plan *Plan) error {
	_ = os.Chdir("/") // so that a mount can go away under us; the trainer's directory is in its plan
	err := d.run(plan)
	if err == nil && plan.Role == Leader {
		if names, listErr := listSome(plan.Model); listErr == nil && len(names) == 0 {
			d.log.Warn().Msgf("%s is empty at the end: this job has no model\nhint: a trainer saves its model to SM_MODEL_DIR", plan.Model)
		}
	}
	return err
}

func (d *Doer) run(plan *Plan) error {
	if plan.Launch != nil {
		return d.launch(plan)
	}
	m, err := d.meet(plan.Meet, "run", plan.Mask)
	if err != nil {
		return err
	}
	err = d.prepare(plan, m, nil)
	if err == nil {
		err = d.train(plan, m)
	}
	return d.leave(m, err)
}

func (d *Doer) train(plan *Plan, m *meeting) error {
	program := plan.Command.Argv[0]
	ctx, stdin, err := d.feed(m.context(), plan.Stdin)
	if err != nil {
		return err
	}
	defer stdin.close()
	failed := func(exit proc.Exit) error {
		if err := stdin.failure(); err != nil {
			return err
		}
		end := failureOf(program, exit, plan.usageHint(exit.Code))
		if ran, ok := errors.AsType[*proc.ExitError](end); ok {
			if cause := stopOf(ctx, exit); cause != nil {
				return &StoppedError{Cause: cause, Exit: ran}
			}
		}
		return end
	}
	o := plan.procOptions()
	o.Stdin = stdin.fd()
	if m != nil {
		o.Memory = m.plan.memory()
		o.Terminated = m.session.Stopped
		o.Ended = func(exit proc.Exit) { m.end(failed(exit), false) }
	}
	exit, err := proc.Run(ctx, d.signals, plan.cmd(), o)
	d.trained(exit)
	d.remark(exit, "the trainer")
	return errors.Join(err, failed(exit))
}

// remark logs what is worth a look besides how a program ended. The log goes on where the program's stderr does, whose last
// line may have no end.
func (d *Doer) remark(exit proc.Exit, program string) {
	succeeded := exit.Code == 0
	if exit.Unfinished && (!succeeded || exit.Left > 0 || exit.OOMKills > 0) {
		_, _ = Stderr().Write([]byte("\n"))
	}
	if exit.Left > 0 {
		d.log.Warn().Str(fieldEvent, "left").Msgf("%s that %s left behind could not be killed", plural(exit.Left, "process", "processes"), program)
	}
	if succeeded && exit.OOMKills > 0 {
		d.log.Warn().Msgf("%s ended with 0, but the kernel killed %s of this container for lack of memory",
			program, plural(exit.OOMKills, "process", "processes"))
	}
}

// Exec prepares and becomes the trainer; it returns only if that failed.
func (d *Doer) Exec(plan *Plan) error {
	if os.Getpid() == 1 {
		d.log.Warn().Msg("exec as PID 1: the trainer has no init, so it may lose signals and exit codes\nhint: use entrain run, or docker run --init")
	}
	if plan.Launch != nil {
		return &UsageError{Err: errors.New("exec cannot launch MPI, since the launcher needs entrain beside it\nhint: use entrain run, or --launcher none")}
	}
	m, err := d.meet(plan.Meet, "exec", plan.Mask)
	if err != nil {
		return err
	}
	if err := m.leave(d.prepare(plan, m, nil)); err != nil {
		return err
	}
	return proc.Exec(d.signals, plan.cmd())
}

// Await only waits until all hosts are there.
func (d *Doer) Await(in *Inspection, o Options) error {
	meet, err := decideMeet(in.Job, in.Snapshot, o)
	if err != nil {
		return err
	}
	m, err := d.meet(meet, "wait", in.Mask)
	if err != nil {
		return err
	}
	return m.leave(d.await(decideWait(in.Job, o), m, nil))
}

// Fail tells the other hosts why this one cannot begin, so that they need not wait for it. It returns the error.
func (d *Doer) Fail(in *Inspection, o Options, mode string, err error) error {
	if in == nil {
		return err
	}
	job := contract.Identify(in.Snapshot)
	if job == nil {
		return err
	}
	meet, meetErr := decideMeet(job, in.Snapshot, o)
	if meet == nil || meetErr != nil {
		return err
	}
	meet.Digests = nil // what differs is not the trouble
	m, meetErr := d.meet(meet, mode, in.Mask)
	if meetErr != nil {
		return err
	}
	return m.leave(err)
}

func (p *Plan) cmd() proc.Cmd { return proc.Cmd(p.Command) }

func (p *Plan) procOptions() proc.Options {
	return proc.Options{
		Grace: p.End.Grace, SignalGroup: p.End.SignalGroup, ParentDeath: p.End.ParentDeath,
		NoCapture: p.End.NoCapture, Marker: report.Marker,
	}
}

// prepare does what comes before the trainer, and last, if it is not nil, what the other hosts find here when all are
// released.
func (d *Doer) prepare(plan *Plan, m *meeting, last func(context.Context) error) error {
	end := d.Phase("prepare")
	for _, note := range plan.Notes {
		d.log.Info().Str(fieldEvent, "note").Msg(note)
	}
	for _, remark := range plan.Remarks {
		d.log.Debug().Str(fieldEvent, "note").Msg(remark)
	}
	if err := d.listen(func(context.Context) error { return plan.writeFiles() }); err != nil {
		return err
	}
	end()
	if len(plan.Wait.Hosts) == 0 && last != nil {
		return last(context.Background())
	}
	return d.await(plan.Wait, m, last)
}

// writeFiles writes what the trainer is to find, and takes away an earlier run's failure file: the one that is there at the
// end is the trainer's.
func (p *Plan) writeFiles() error {
	clearFailure(p.Failure)
	for _, f := range p.Files {
		if err := writeAtomically(f.Path, bytes.NewReader(f.Data), fs.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return nil
}

// await returns when all names resolve here and, where the hosts meet, when that is so on all of them.
func (d *Doer) await(w Wait, m *meeting, last func(context.Context) error) error {
	if len(w.Hosts) == 0 {
		d.tellPhase("wait", 0)
		d.tellPhase("rendezvous", 0)
		return nil
	}
	probe, o, err := d.probe(w)
	if err != nil {
		return err
	}
	signals, release := d.signals.Context(context.Background())
	ctx, unite := m.unite(signals)
	start := time.Now()
	o.Timeout = w.Timeout
	o.Progress = func(elapsed time.Duration, missing []hostwait.Missing) {
		m.pending(missing)
		d.tellMissing(w, elapsed, missing)
	}
	if err = hostwait.All(ctx, probe, w.Hosts, o); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("waiting for host names: %w", err)
		}
	} else if last != nil {
		err = last(ctx)
	}
	d.tellPhase("wait", time.Since(start))
	if err == nil && m != nil {
		end := d.Phase("rendezvous")
		err = m.gather(ctx, w, start)
		end()
	}
	unite()
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(signals)); ok {
		return fmt.Errorf("waiting for the other hosts: %w", stop) // it may have come when all were there
	}
	return err
}

func (d *Doer) tellMissing(w Wait, elapsed time.Duration, missing []hostwait.Missing) {
	if len(missing) == 0 {
		return // it is about to go on
	}
	d.log.Info().Str(fieldEvent, "waiting").Int("missing", len(missing)).Int64(fieldMS, elapsed.Milliseconds()).
		Msgf("still waiting for %d of %d hosts after %s, giving up in %s: %s",
			len(missing), len(w.Hosts), elapsed, w.Timeout-elapsed, hostwait.Names(missing))
}

// probe says how to ask: the DNS, and unless that is all the hosts file beside it.
func (d *Doer) probe(w Wait) (hostwait.Probe, hostwait.Options, error) {
	servers, err := hostwait.ReadResolvConf(resolvConf)
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
			d.log.Warn().Msgf("host %s has the address %v in /etc/hosts and %v in the DNS: one of them is wrong\nhint: --dns-only leaves /etc/hosts out", host, file, dns)
		}
	}
	return hostwait.Lookup(hostwait.System).Probe, hostwait.Options{Hint: hostwait.Lookup(file.Lookup).Probe}, nil
}

const resolvConf = "/etc/resolv.conf"
