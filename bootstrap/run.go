package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"entrain/bootstrap/report"
	"entrain/contract"
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
		d.lookForModel(plan.Model)
	}
	return err
}

// lookForModel warns of a job that leaves nothing behind.
func (d *Doer) lookForModel(dir string) {
	names, err := listSome(dir)
	state := "empty"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		state = "missing"
	case err != nil || len(names) > 0:
		return
	}
	d.log.Warn().Msgf("%s is %s at the end: this job has no model\nhint: a trainer saves its model to SM_MODEL_DIR", dir, state)
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
