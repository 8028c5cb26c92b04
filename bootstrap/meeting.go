package bootstrap

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// meeting is this host's part in the rendezvous. The nil meeting is that of a host alone.
type meeting struct {
	d       *Doer
	plan    *Meet
	mode    string
	mask    func(string) string // no other host is told a secret
	session *rendezvous.Session
	members []rendezvous.Member // in the order of ranks, once all are released
	begun   time.Time
}

// meet begins to take part.
func (d *Doer) meet(plan *Meet, mode string, mask func(string) string) (*meeting, error) {
	m, err := d.meetFor(nil, plan, mode, mask)
	if m != nil && plan.MPI {
		m.session.Quiet() // no rank is ever at work here
	}
	return m, err
}

// meetFor is meet, for a host of a launched job unless l is nil.
func (d *Doer) meetFor(l *launching, plan *Meet, mode string, mask func(string) string) (*meeting, error) {
	if plan == nil {
		return nil, nil //nolint:nilnil // the nil meeting
	}
	var key rendezvous.Key
	if plan.keyed {
		var err error
		if key, err = rendezvous.ParseKey(plan.key); err != nil {
			return nil, &UsageError{Err: errors.New("the cluster key in " + plan.keyFrom + ": " + err.Error())}
		}
	}
	c := rendezvous.Config{
		Hosts:   plan.Hosts,
		Self:    rendezvous.Member{Host: plan.Host, Slots: plan.Slots, CPUs: plan.CPUs, Accelerators: plan.Accelerators},
		Mode:    mode,
		Version: d.version,
		Digests: rendezvous.Digests{Hosts: plan.Digests["hosts"], Hyperparameters: plan.Digests["hyperparameters"], Command: plan.Digests["command"], Launcher: plan.Digests["launcher"]},
		Port:    plan.Port, Interface: plan.Interface, PeerTimeout: plan.PeerTimeout, Key: key, Job: plan.Job,
		Lookup: plan.lookup(), Ignore: plan.Ignore,
		Warn: func(text string) { d.log.Warn().Msg(text) },
	}
	if l != nil {
		c.Self.PublicKey = l.public
		c.Launches, c.OnStop, c.OnQuiet = true, func() { d.signals.Raise(syscall.SIGTERM) }, l.hush
	}
	session, err := rendezvous.Open(c)
	if err != nil {
		return nil, err
	}
	return &meeting{d: d, plan: plan, mode: mode, mask: mask, session: session, begun: time.Now()}, nil
}

// lookup finds the peers as the trainer will.
func (p *Meet) lookup() hostwait.Lookup {
	if servers, err := hostwait.ReadResolvConf(resolvConf); err == nil && p.DNSOnly {
		return servers.Lookup
	}
	return hostwait.System
}

// memory is what the leader of so many hosts may use, in bytes: it has a connection to each.
func (p *Meet) memory() int64 { return 32<<20 + int64(len(p.Hosts))*64<<10 }

// context ends when this host should, since another one failed or was stopped.
func (m *meeting) context() context.Context {
	if m == nil {
		return context.Background()
	}
	return m.session.Context()
}

// unite gives a context that ends with ctx, and with the session.
func (m *meeting) unite(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	session := m.context()
	stop := context.AfterFunc(session, func() { cancel(context.Cause(session)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// pending tells the others whose names do not resolve here.
func (m *meeting) pending(missing []hostwait.Missing) {
	if m == nil {
		return
	}
	var names []string
	for _, one := range missing {
		names = append(names, one.Host)
	}
	m.session.Ready(names)
}

// gather waits until all hosts are released.
func (m *meeting) gather(ctx context.Context, w Wait, start time.Time) error {
	m.session.Ready(nil)
	ctx, cancel := context.WithDeadline(ctx, start.Add(w.Timeout))
	defer cancel()
	told := make(chan struct{})
	go func() {
		defer close(told)
		doubts := m.session.Doubts
		hostwait.Often(ctx, start, func(elapsed time.Duration) {
			m.d.tellMissing(w, elapsed, m.session.Missing())
			for _, doubt := range doubts(ctx) {
				m.d.log.Warn().Msg(doubt)
			}
			doubts = func(context.Context) []string { return nil } // once is enough
		})
	}()
	members, err := m.session.Gather(ctx)
	m.members = members
	if errors.Is(err, context.DeadlineExceeded) {
		err = &hostwait.UnavailableError{Missing: m.session.Missing(), Of: len(w.Hosts), Elapsed: time.Since(start)}
	}
	cancel()
	<-told
	if err == nil {
		m.d.log.Debug().Msgf("all %d hosts have joined after %s: %+v", len(members), time.Since(start).Round(time.Millisecond), members)
	}
	return err
}

// end tells the others how this host's work ended, and whether that comes of another failure, if there is one.
func (m *meeting) end(err error, follows bool) {
	if _, stopped := errors.AsType[*proc.SignalError](err); stopped {
		m.session.Stopped()
	}
	at := time.Now()
	if stop, ok := errors.AsType[*StoppedError](err); ok {
		at = stop.Exit.At
	}
	if exit, ok := errors.AsType[*proc.ExitError](err); ok {
		at = exit.At
	}
	text := strings.TrimPrefix(Summary(err), m.plan.Host+": ") // which the others put before it
	m.session.End(rendezvous.End{Code: ExitCode(err), Text: m.mask(text), At: at, Follows: follows})
}

// linger is how long a host that failed before the others came stays to tell them.
const linger = time.Minute

// leave tells how this host's work ended, and stays while the others need it. Where another host's failure is that of the
// whole job, it comes back instead of this host's own.
func (m *meeting) leave(err error) error {
	if m == nil {
		return err
	}
	m.end(err, false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first := make(chan error, 1)
	release := m.d.signals.Watch(func(sig syscall.Signal) {
		select {
		case first <- &proc.SignalError{Signal: sig}:
		default:
		}
		m.session.Hurry() // who has not come is not waited for
		if sig == syscall.SIGTERM {
			m.session.Stopped() // the others are stopped too, and this host stays for their ends
			return
		}
		cancel()
	})
	patience := m.patience(err)
	told := m.tellLingering(err, patience)
	peer := m.session.Leave(ctx, patience)
	told()
	release()
	switch {
	case peer != nil:
		theirs, _ := errors.AsType[*rendezvous.PeerError](peer)
		if exit, ok := errors.AsType[*proc.ExitError](err); ok && m.plan.MPI {
			return &LaunchError{First: theirs, Exit: exit}
		}
		if err != nil && peer.Error() != err.Error() {
			own := rendezvous.PeerError{Host: "this host", Text: Summary(err)}
			m.d.log.Warn().Msg(own.Error())
		}
		return peer
	case err != nil:
		return err
	}
	if refused, ok := errors.AsType[*rendezvous.RefusedError](context.Cause(m.session.Context())); ok {
		return refused // the trainer was stopped for that, and may have ended well
	}
	if m.mode != "run" && len(first) > 0 {
		return <-first // what would come next must not
	}
	return nil
}

// tellLingering says what a host waits for that has failed before the others came, unless that takes a moment only.
func (m *meeting) tellLingering(err error, patience time.Duration) (stop func()) {
	if err == nil || m.members != nil || patience == 0 {
		return func() {}
	}
	timer := time.AfterFunc(time.Second, func() {
		m.d.log.Info().Msgf("this host has failed, and stays up to %s to tell the others why", patience.Round(time.Second))
	})
	return func() { timer.Stop() }
}

// patience is how long to stay for those who have not come yet: no longer than this host would have waited for them. Who was
// stopped, or has waited for them, does not.
func (m *meeting) patience(err error) time.Duration {
	_, stopped := errors.AsType[*proc.SignalError](err)
	_, stop := errors.AsType[*rendezvous.StopError](err)
	_, trained := errors.AsType[*StoppedError](err)
	_, waited := errors.AsType[*hostwait.UnavailableError](err)
	if stopped || stop || trained || waited {
		return 0
	}
	return max(0, min(linger, time.Until(m.begun.Add(m.plan.Timeout))))
}
