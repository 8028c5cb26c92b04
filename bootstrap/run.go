// Package bootstrap is the way of a job through the house: what the command line calls, and what a reader follows first.
//
// Inspect photographs the world once (world) and checks the contract (contract). Plan decides (plan). Run, Exec, Await and
// Pipe carry a Plan out: the files (output), the other hosts (peers), the trainer (trainer) or its launcher (launch), and
// its end (report). Each of these rooms stands below this one, and none of them knows it.
package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/events"
	"entrain/bootstrap/launch"
	"entrain/bootstrap/output"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/scaffold"
	"entrain/bootstrap/stream"
	"entrain/bootstrap/trainer"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// Doer carries out a Plan.
type Doer struct {
	log     events.Log
	version string // of the program
	signals *Signals
}

// NewDoer makes one that listens to signals that were caught.
func NewDoer(signals *Signals, log zerolog.Logger, version string) *Doer {
	return &Doer{log: events.Log{Logger: log}, version: version, signals: signals}
}

// At puts the host's name into everything that the log says from now on.
func (d *Doer) At(host string) { d.log = d.log.At(host) }

// Phase begins a phase of the work. The function that it returns ends the phase and tells its time.
func (d *Doer) Phase(name string) (end func()) { return d.log.Phase(name) }

// Describe says at debug level what there is. The plan is one whose secrets are masked.
func (d *Doer) Describe(in *Inspection, masked *Plan) { d.log.Describe(d.version, in.Job, masked) }

// Run prepares and supervises the trainer. A trainer that does not succeed is a *proc.ExitError, another host's failure
// a *rendezvous.PeerError.
func (d *Doer) Run(p *Plan) error {
	_ = os.Chdir("/") // so that a mount can go away under entrain; the trainer's directory is in its plan
	var job job = &alone{d: d, plan: p}
	if p.Launch != nil {
		host, err := launch.New(p, d.log, d.signals)
		if err != nil {
			return err
		}
		job = &launched{host: host, plan: p}
	}
	err := d.run(p, job)
	if err == nil && p.Role == plan.Leader {
		d.lookForModel(p.Model)
	}
	return err
}

// job is what Run does once all hosts are ready: a trainer of this host's own, or a part in a launch.
type job interface {
	announce() *peers.Launch           // what the rendezvous has to know of it; nil for nothing
	join(others *peers.Peers)          // before the hosts are released
	open(context.Context) error        // makes what the other hosts find here when they are released
	run() (ended proc.Exit, err error) // after that
	close()                            // takes away what open made
}

// run is the way of a job: meet the others, prepare, run, and leave together.
func (d *Doer) run(p *Plan, job job) error {
	others, err := d.process().Join(p, "run", job.announce())
	if err != nil {
		return err
	}
	job.join(others)
	var ended proc.Exit
	if err = d.prepare(p, others, job.open); err == nil {
		ended, err = job.run()
	}
	job.close()
	start := time.Now()
	if !ended.At.IsZero() { // the trainer was started
		d.log.Took("train", ended.Elapsed)
		start = ended.At
	}
	err = others.Leave(err)
	d.log.Took("end", time.Since(start))
	return err
}

// process is what the rendezvous needs of this process.
func (d *Doer) process() peers.Process {
	return peers.Process{Log: d.log, Signals: d.signals, Version: d.version}
}

// alone is a job in which this host starts its own trainer.
type alone struct {
	d      *Doer
	plan   *Plan
	others *peers.Peers
}

func (a *alone) announce() *peers.Launch    { return nil }
func (a *alone) join(others *peers.Peers)   { a.others = others }
func (a *alone) open(context.Context) error { return nil }
func (a *alone) run() (proc.Exit, error)    { return trainer.Run(a.plan, a.others, a.d.signals, a.d.log) }
func (a *alone) close()                     {}

// launched is a job in which a launcher starts the ranks.
type launched struct {
	host *launch.Host
	plan *Plan
}

func (l *launched) announce() *peers.Launch        { return l.host.Announce() }
func (l *launched) open(ctx context.Context) error { return l.host.Open(ctx) }
func (l *launched) run() (proc.Exit, error)        { return l.host.Run(trainer.Options(l.plan)) }
func (l *launched) close()                         { l.host.Close() }

func (l *launched) join(others *peers.Peers) {
	if others != nil { // a nil pointer in an interface is not nil
		l.host.Join(others)
	}
}

// Exec prepares and becomes the trainer. It returns only if that failed.
func (d *Doer) Exec(p *Plan) error {
	if os.Getpid() == 1 {
		d.log.Warn().Msg("exec as PID 1: the trainer has no init, so it may lose signals and exit codes\n" +
			"hint: use entrain run, or docker run --init")
	}
	if p.Launch != nil {
		return &UsageError{Err: errors.New("exec cannot launch MPI, since the launcher needs entrain beside it\n" +
			"hint: use entrain run, or --launcher none")}
	}
	others, err := d.process().Join(p, "exec", nil)
	if err != nil {
		return err
	}
	if err := others.Leave(d.prepare(p, others, nil)); err != nil {
		return err
	}
	return proc.Exec(d.signals, proc.Cmd(p.Command))
}

// Await only waits until all hosts are ready.
func (d *Doer) Await(p *Plan) error {
	others, err := d.process().Join(p, "wait", nil)
	if err != nil {
		return err
	}
	return others.Leave(d.process().Await(others, p.Wait, nil))
}

// Fail tells the other hosts why this one cannot begin, so that they need not wait for it. It returns the error, or the
// failure of another host.
func (d *Doer) Fail(in *Inspection, o Options, verb string, err error) error {
	if in == nil {
		return err
	}
	p := plan.DecideFailure(in.Snapshot, o)
	if p == nil {
		return err
	}
	others, joinErr := d.process().Join(p, verb, nil)
	if joinErr != nil {
		return err
	}
	return others.Leave(err)
}

// Pipe streams a channel to a path, or to standard output where the path is empty.
func (d *Doer) Pipe(s *Stream, path string) error {
	ctx, release := d.signals.Context(context.Background())
	defer release()
	return stream.To(ctx, d.log, s, path)
}

// Serve plays the platform's side of the Pipe channels of a tree until a signal comes, or all have had their epochs.
func (d *Doer) Serve(dir string, t Tree) error {
	ctx, release := d.signals.Context(context.Background())
	defer release()
	return scaffold.Serve(ctx, dir, t)
}

// Inspect is the function Inspect for a process that listens to its signals: one that means the end ends the inspection.
func (d *Doer) Inspect(r Request) (*Inspection, error) {
	found := make(chan *Inspection, 1)
	err := d.listen(func(ctx context.Context) error {
		found <- Inspect(ctx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

// prepare does what comes before the trainer. Open, if it is not nil, makes what the other hosts find here.
func (d *Doer) prepare(p *Plan, others *peers.Peers, open func(context.Context) error) error {
	end := d.log.Phase("prepare")
	d.log.Plan(p)
	if err := d.listen(func(context.Context) error { return writeFiles(p) }); err != nil {
		return err
	}
	end()
	return d.process().Await(others, p.Wait, open)
}

// writeFiles writes what the trainer is to find. It removes an earlier run's failure file: the one that is there at the end
// is then the trainer's.
func writeFiles(p *Plan) error {
	report.Clear(p.Failure)
	for _, f := range p.Files {
		if err := output.Atomically(f.Path, bytes.NewReader(f.Data), fs.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return nil
}

// hangBound is how long work that does not notice its context may go on after a signal: a mount that hangs keeps a system
// call for ever, and a helper program ends at once.
const hangBound = time.Second

// listen does work while somebody reads the signals. One that means the end ends the work's context, and then the wait for
// the work: the error is then a *proc.SignalError.
func (d *Doer) listen(work func(context.Context) error) error {
	ctx, release := d.signals.Context(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }() // until the process ends, where it hangs
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err, _ = bounded.Receive(hangBound, done)
	}
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(ctx)); ok {
		return stop
	}
	return err
}

// lookForModel warns of a job that leaves nothing behind.
func (d *Doer) lookForModel(dir string) {
	state := "missing"
	if f, err := os.Open(dir); err == nil {
		names, _ := f.Readdirnames(1)
		_ = f.Close()
		if len(names) > 0 {
			return
		}
		state = "empty"
	} else if !errors.Is(err, fs.ErrNotExist) {
		return
	}
	d.log.Warn().Msgf("%s is %s at the end: this job has no model\nhint: a trainer saves its model to SM_MODEL_DIR",
		dir, state)
}
