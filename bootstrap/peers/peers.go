// Package peers is the other hosts as a job uses them: it waits for their names, takes part in the rendezvous, and ends
// this host's work together with theirs.
package peers

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// Process is what this room needs of the process that it works in.
type Process struct {
	Log     events.Log
	Signals *proc.Signals
	Version string // of the program
}

// Peers is this host's part in the rendezvous. The nil Peers is that of a host alone.
type Peers struct {
	*rendezvous.Session
	Process
	plan    *plan.Rendezvous
	verb    string
	mask    func(string) string // no other host is told a secret
	members []rendezvous.Member // in the order of ranks, once all are released
	joined  time.Time
}

// Launch is what the rendezvous of a launched job needs beside the plan.
type Launch struct {
	PublicKey string // of this host's ssh or sshd; empty where they are not used
	OnQuiet   func() // called once when no rank is at work on any host after a stop
}

// Join begins to take part in the rendezvous of a plan, for a verb. Launch is nil unless this host starts ranks. It is nil
// for a plan without a rendezvous.
func (h Process) Join(p *plan.Plan, verb string, launch *Launch) (*Peers, error) {
	if p.Rendezvous == nil {
		return nil, nil //nolint:nilnil // the nil Peers
	}
	c, err := h.config(p.Rendezvous, verb)
	if err != nil {
		return nil, err
	}
	if launch != nil {
		c.Self.PublicKey = launch.PublicKey
		c.Launches, c.OnStop, c.OnQuiet = true, func() { h.Signals.Raise(syscall.SIGTERM) }, launch.OnQuiet
	}
	session, err := rendezvous.Open(c)
	if err != nil {
		return nil, err
	}
	if launch == nil && p.Rendezvous.MPI {
		session.Quiet() // no rank is ever at work here
	}
	return &Peers{
		Session: session, Process: h, plan: p.Rendezvous, verb: verb, mask: p.Mask, joined: time.Now(),
	}, nil
}

// config is what this host brings to the rendezvous.
func (h Process) config(p *plan.Rendezvous, verb string) (rendezvous.Config, error) {
	var key rendezvous.Key
	if p.Key.Given {
		var err error
		if key, err = rendezvous.ParseKey(p.Key.Text()); err != nil {
			text := "the cluster key in " + p.Key.From + ": " + err.Error()
			return rendezvous.Config{}, &plan.UsageError{Err: errors.New(text)}
		}
	}
	return rendezvous.Config{
		Hosts:   p.Hosts,
		Self:    rendezvous.Member{Host: p.Host, Slots: p.Slots, CPUs: p.CPUs, Accelerators: p.Accelerators},
		Mode:    verb,
		Version: h.Version,
		Digests: rendezvous.Digests{
			Hosts: p.Digests["hosts"], Hyperparameters: p.Digests["hyperparameters"],
			Command: p.Digests["command"], Launcher: p.Digests["launcher"],
		},
		Port: p.Port, Interface: p.Interface, PeerTimeout: p.PeerTimeout, Key: key, Job: p.Job,
		Lookup: Lookup(p), Ignore: p.Ignore,
		Warn: func(text string) { h.Log.Warn().Msg(text) },
	}, nil
}

// Members are all hosts in the order of ranks, once they are released.
func (p *Peers) Members() []rendezvous.Member { return p.members }

// Lookup finds the peers as the trainer will.
func Lookup(p *plan.Rendezvous) hostwait.Lookup {
	if servers, err := hostwait.ReadResolvConf(resolvConf); err == nil && p.DNSOnly {
		return servers.Lookup
	}
	return hostwait.System
}

// Memory is what entrain may use beside the trainer of a host that has so many peers, in bytes: the leader has a
// connection to each. It is 0, for the default, on a host alone.
func (p *Peers) Memory() int64 {
	if p == nil {
		return 0
	}
	return 32<<20 + int64(len(p.plan.Hosts))*64<<10
}

// Context ends when this host should, since another one failed or was stopped.
func (p *Peers) Context() context.Context {
	if p == nil {
		return context.Background()
	}
	return p.Session.Context()
}

// unite gives a context that ends with ctx, and with the session.
func (p *Peers) unite(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	session := p.Context()
	stop := context.AfterFunc(session, func() { cancel(context.Cause(session)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// tellPending tells the others whose names do not resolve here.
func (p *Peers) tellPending(missing []hostwait.Missing) {
	if p == nil {
		return
	}
	var names []string
	for _, one := range missing {
		names = append(names, one.Host)
	}
	p.Ready(names)
}

// gather waits until all hosts are released.
func (p *Peers) gather(ctx context.Context, w plan.Wait, start time.Time) error {
	p.Ready(nil)
	ctx, cancel := context.WithDeadline(ctx, start.Add(w.Timeout))
	defer cancel()
	told := make(chan struct{})
	go func() {
		defer close(told)
		doubts := p.Doubts
		hostwait.Often(ctx, start, func(elapsed time.Duration) {
			p.tellMissing(w, elapsed, p.Missing())
			for _, doubt := range doubts(ctx) {
				p.Log.Warn().Msg(doubt)
			}
			doubts = func(context.Context) []string { return nil } // once is enough
		})
	}()
	members, err := p.Gather(ctx)
	p.members = members
	if errors.Is(err, context.DeadlineExceeded) {
		err = &hostwait.UnavailableError{Missing: p.Missing(), Of: len(w.Hosts), Elapsed: time.Since(start)}
	}
	cancel()
	<-told
	if err == nil {
		p.Log.Debug().Msgf("all %d hosts have joined after %s: %+v", len(members), time.Since(start).Round(time.Millisecond), members)
	}
	return err
}

// End tells the others how this host's work ended, and whether that comes of another failure, if there is one.
func (p *Peers) End(err error, follows bool) {
	if _, stopped := errors.AsType[*proc.SignalError](err); stopped {
		p.Stopped()
	}
	at := time.Now()
	if stop, ok := errors.AsType[*report.StoppedError](err); ok {
		at = stop.Exit.At
	}
	if exit, ok := errors.AsType[*proc.ExitError](err); ok {
		at = exit.At
	}
	text := strings.TrimPrefix(report.Summary(err), p.plan.Host+": ") // which the others put before it
	p.Session.End(rendezvous.End{Code: report.ExitCode(err), Text: p.mask(text), At: at, Follows: follows})
}
