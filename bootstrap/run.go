// Package bootstrap is the way of a job through the house: what the command line calls, and what a reader
// follows first.
//
// Inspect photographs the world once (world) and checks the contract (contract). Plan decides (plan). Run,
// Exec, Await and Pipe carry a Plan out: the files (output), the other hosts (peers), the trainer (trainer)
// or its launcher (launch), and its end (report). Each of these rooms stands below this one, and none of them
// knows it.
package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
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

// Phase begins a phase of the work. The function that it returns ends the phase and tells its time.
func (d *Doer) Phase(name string) (end func()) {
	start := time.Now()
	return func() { d.log.Took(name, time.Since(start)) } // with the host's name, if that is known by then
}

// Describe says at debug level what there is. The plan is one whose secrets are masked.
func (d *Doer) Describe(in *Inspection, masked *plan.Plan) { d.log.Describe(d.version, in.Job, masked) }

// Run prepares and supervises the trainer. A trainer that does not succeed is a *proc.ExitError, another
// host's failure a *rendezvous.PeerError.
func (d *Doer) Run(p *plan.Plan) error {
	_ = os.Chdir("/") // so that a mount can go away under entrain; the trainer's directory is in its plan
	job, err := d.newJob(p)
	if err != nil {
		return err
	}
	err = d.run(p, job)
	if err == nil {
		d.noteSuccess(p)
	}
	if err == nil && p.Role == plan.Leader {
		trainer.LookForModel(d.log, p.Model)
	}
	return err
}

// newJob makes the job of a plan.
func (d *Doer) newJob(p *plan.Plan) (job, error) {
	switch {
	case p.Launch != nil && p.Launch.Own:
		return launch.NewRanks(p, d.log, d.signals), nil
	case p.Launch != nil:
		return launch.New(p, d.log, d.signals)
	}
	return trainer.New(d.log, d.signals), nil
}

// job is what Run does once all hosts are ready: a *trainer.Alone, a *launch.Host or a *launch.Ranks.
type job interface {
	Announce() *peers.Launch        // what the rendezvous has to know of it; nil for nothing
	Join(others *peers.Peers)       // before the hosts are released
	Open(ctx context.Context) error // makes what the other hosts find here when they are released
	// Run is called after the release, with the plan of a host that has met the others.
	Run(met *plan.Plan) (ended proc.Exit, err error)
	Close() // takes away what Open made
}

// run is the way of a job: meet the others, prepare, run, and leave together.
func (d *Doer) run(p *plan.Plan, job job) error {
	others, err := d.process().Join(p, "run", job.Announce())
	if err != nil {
		return err
	}
	job.Join(others)
	var ended proc.Exit
	if err = d.prepare(p, others, job.Open); err == nil {
		ended, err = d.work(p, others, job)
		job, ended, err = d.restart(p, others, job, ended, err)
	}
	job.Close()
	start := time.Now()
	if !ended.At.IsZero() { // the trainer was started
		d.log.Took("train", ended.Elapsed)
		start = ended.At
	}
	err = others.Leave(err)
	d.log.Took("end", time.Since(start))
	return err
}

// work does what comes after the release.
func (d *Doer) work(p *plan.Plan, others *peers.Peers, job job) (ended proc.Exit, err error) {
	met, forget, err := d.meet(p, others)
	if err != nil {
		return proc.Exit{}, err
	}
	defer forget()
	return job.Run(met)
}

// process is what the rendezvous needs of this process.
func (d *Doer) process() peers.Process {
	return peers.Process{Log: d.log, Signals: d.signals, Version: d.version}
}

// Exec prepares and becomes the trainer. It returns only if that failed.
func (d *Doer) Exec(p *plan.Plan) error {
	if os.Getpid() == 1 {
		d.log.Warn().Msg("exec as PID 1: the trainer has no init, so it may lose signals and exit codes\n" +
			"hint: use entrain run, or docker run --init")
	}
	if p.Launch != nil {
		what := "MPI, since the launcher needs entrain beside it"
		if p.Launch.Own {
			what = "ranks, since they need entrain beside them"
		}
		return &plan.UsageError{Err: errors.New(
			"exec cannot launch " + what + "\nhint: use entrain run, or --launcher none")}
	}
	others, err := d.process().Join(p, "exec", nil)
	if err != nil {
		return err
	}
	met := p
	if err = d.prepare(p, others, nil); err == nil {
		met, _, err = d.meet(p, others)
	}
	if err := others.Leave(err); err != nil {
		return err
	}
	return proc.Exec(d.signals, proc.Cmd(met.Command))
}

// Await only waits until all hosts are ready.
func (d *Doer) Await(p *plan.Plan) error {
	others, err := d.process().Join(p, "wait", nil)
	if err != nil {
		return err
	}
	return others.Leave(d.process().Await(others, p.Wait, nil))
}

// Addresses waits for the names of the hosts that train together, and returns an address of each.
func (d *Doer) Addresses(in *Inspection, o plan.Options) (map[string]string, error) {
	return d.process().Addresses(plan.HostfileWait(in.Job, o), in.Job.Host, in.Job.Interface)
}

// Fail tells the other hosts why this one cannot begin, so that they need not wait for it. It returns the
// error, or the failure of another host.
func (d *Doer) Fail(in *Inspection, o plan.Options, verb string, err error) error {
	if in == nil {
		return err
	}
	return d.process().Fail(in.Snapshot, o, verb, err)
}

// Pipe streams a channel to a path, to FIFOs whose paths begin with prefix, or to standard output where both
// are empty.
func (d *Doer) Pipe(s *plan.Stream, path, prefix string) error {
	ctx, release := d.signals.Context(context.Background())
	defer release()
	return stream.To(ctx, d.log, s, path, prefix)
}

// Records decodes the RecordIO of files, and writes the records to a path, or to standard output where the
// path is empty.
func (d *Doer) Records(p plan.Pipe, files []string, path string) error {
	return d.listen(func(ctx context.Context) error { return stream.Records(ctx, d.log, p, files, path) })
}

// Serve plays the platform's side of the Pipe channels of a tree until a signal comes, or all have had their
// epochs. It calls ready with warnings when the tree is written and all objects are looked at. SIGTERM and
// SIGINT are the usual end, and no failure.
func (d *Doer) Serve(dir string, t scaffold.Tree, env []string, ready func(warnings []string) error) error {
	err := d.listen(func(ctx context.Context) error {
		warnings, err := scaffold.PreparePlatform(ctx, dir, t, env)
		if err != nil {
			return err
		}
		return ready(warnings)
	})
	if err == nil {
		ctx, release := d.signals.Context(context.Background())
		err = scaffold.Serve(ctx, dir, t)
		release()
	}
	stop, ok := errors.AsType[*proc.SignalError](err)
	if ok && (stop.Signal == syscall.SIGTERM || stop.Signal == syscall.SIGINT) {
		return nil
	}
	return err
}

// Inspect is the function Inspect for a process that listens to its signals: one that means the end ends the
// inspection.
func (d *Doer) Inspect(r Request) (*Inspection, error) {
	found := make(chan *Inspection, 1)
	err := d.listen(func(ctx context.Context) error {
		found <- Inspect(ctx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	in := <-found
	d.log = d.log.At(in.Host())
	return in, nil
}

// prepare does what comes before the trainer. Open, if it is not nil, makes what the other hosts find here.
func (d *Doer) prepare(p *plan.Plan, others *peers.Peers, open func(context.Context) error) error {
	end := d.log.Phase("prepare")
	d.log.Plan(p)
	write := func(context.Context) error {
		d.prepareOwn(p)
		return writeFiles(p)
	}
	if err := d.listen(write); err != nil {
		return err
	}
	end()
	return d.process().Await(others, p.Wait, open)
}

// writeFiles writes what the trainer is to find. It removes an earlier run's failure file: the one that is
// there at the end is then the trainer's.
func writeFiles(p *plan.Plan) error {
	report.Clear(p.Failure)
	for _, f := range p.Files {
		if err := output.Atomically(f.Path, bytes.NewReader(f.Data), fs.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return nil
}

// hangBound is how long work that does not notice its context may go on after a signal: a mount that hangs
// keeps a system call for ever, and a helper program ends at once.
const hangBound = time.Second

// listen does work while somebody reads the signals. One that means the end ends the work's context, and then
// the wait for the work: the error is then a *proc.SignalError.
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
