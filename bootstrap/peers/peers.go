// Package peers is how a job uses the other hosts. It waits until their names resolve, takes part in the
// rendezvous, and ends this host's work together with theirs.
package peers

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// Process is what this package needs of its process.
type Process struct {
	Log     events.Log
	Signals *proc.Signals
	Version string // the version of entrain
}

// Peers is this host's part in the rendezvous. A host alone has the nil Peers.
type Peers struct {
	*rendezvous.Session
	Process
	plan      *plan.Rendezvous
	isOutside bool                    // a launcher starts ranks on other hosts alone
	verb      string                  // the verb of the command line: run, exec or wait
	mask      func(string) string     // hides secrets in the texts for other hosts
	members   []rendezvous.Member     // in the order of ranks; nil before the release
	onQuiet   *atomic.Pointer[func()] // of the launch that is at work
	joined    time.Time               // when this host began to take part
}

// Launch is what the rendezvous needs of a host with a launch, beside the plan.
type Launch struct {
	PublicKey string // the public key of this host's ssh or sshd; empty if they are not used
	OnQuiet   func() // called once, when no rank is at work on any host after a stop
	// Own says that each host starts its own ranks. No launcher's end is then the end of the job, and a stop
	// ends each host's context. The other fields do not count.
	Own bool
}

// Join begins to take part in the rendezvous of a plan, for a verb of the command line. launch is nil unless
// a launcher starts ranks on this host. The Peers are nil for a plan without a rendezvous.
func (h Process) Join(p *plan.Plan, verb string, launch *Launch) (*Peers, error) {
	if p.Rendezvous == nil {
		return nil, nil //nolint:nilnil // a host alone has the nil Peers
	}
	c := h.config(p.Rendezvous, verb)
	c.Command = tellWords(p)
	var err error
	if c.Key, err = parseKey(p.Rendezvous.Key); err != nil {
		return nil, h.failWithoutKey(p, c, err)
	}
	if p.Rendezvous.Digests != nil { // this host has not failed already, perhaps since its key cannot be read
		h.tellKey(p.Rendezvous.Key)
	}
	c.Table = p.Rendezvous.Table
	onQuiet := &atomic.Pointer[func()]{}
	if launch != nil && !launch.Own {
		c.Self.PublicKey = launch.PublicKey
		onQuiet.Store(&launch.OnQuiet)
		c.Launches, c.OnQuiet = true, func() { (*onQuiet.Load())() }
		c.OnStop = func() { h.Signals.Raise(syscall.SIGTERM) }
	}
	session, err := rendezvous.Open(c)
	if err != nil {
		return nil, err
	}
	isOutside := launch == nil && p.Rendezvous.MPI
	if isOutside {
		session.Quiet() // no rank is ever at work on this host
	}
	return &Peers{
		Session: session, Process: h, plan: p.Rendezvous, verb: verb, mask: p.Mask, joined: time.Now(),
		onQuiet: onQuiet, isOutside: isOutside,
	}, nil
}

// config is what the rendezvous needs to know of this host, but for the cluster key.
func (h Process) config(p *plan.Rendezvous, verb string) rendezvous.Config {
	return rendezvous.Config{
		Hosts:   p.Hosts,
		Self:    rendezvous.Member{Host: p.Host, Slots: p.Slots, CPUs: p.CPUs, Accelerators: p.Accelerators},
		Mode:    verb,
		Version: h.Version,
		Digests: rendezvous.Digests{
			Hosts: p.Digests["hosts"], Hyperparameters: p.Digests["hyperparameters"],
			Command: p.Digests["command"], Launcher: p.Digests["launcher"],
			Until: p.Digests["until"], MaxRestarts: p.Digests["max-restarts"], ArgsStyle: p.Digests["args-style"],
		},
		Port: p.Port, Interface: p.Interface, PeerTimeout: p.PeerTimeout, Job: p.Job,
		OwnRanks: p.Ranks, UntilLeader: p.UntilLeader, MaxRestarts: p.MaxRestarts,
		Lookup: Lookup(p), Printable: report.OneLine, Ignore: p.Ignore,
		Warn: func(text string) { h.Log.Warn().Msg(text) },
		Info: func(text string) { h.Log.Info().Msg(text) },
	}
}

// tellWords returns the words of the command as the other hosts may see them.
func tellWords(p *plan.Plan) []rendezvous.Word {
	const longest = 40 // characters: enough to know a word by
	words := make([]rendezvous.Word, len(p.Rendezvous.Command))
	for i, w := range p.Rendezvous.Command {
		text := []rune(report.OneLine(p.Mask(w.Text)))
		if len(text) > longest {
			text = append(text[:longest], '…')
		}
		words[i] = rendezvous.Word{Digest: w.Digest, Text: string(text)}
	}
	return words
}

// Members are all hosts in the order of ranks, if this host uses what they tell about themselves, else none.
// They are nil before the hosts are released.
func (p *Peers) Members() []rendezvous.Member { return p.members }

// Slots are the slots that each of Members has, by its name.
func (p *Peers) Slots() map[string]int {
	if p == nil {
		return nil
	}
	slots := make(map[string]int, len(p.members))
	for _, m := range p.members {
		slots[m.Host] = m.Slots
	}
	return slots
}

// Lookup finds the addresses of the other hosts as the trainer will.
func Lookup(p *plan.Rendezvous) hostwait.Lookup {
	if servers, err := hostwait.ReadResolvConf(resolvConf); err == nil && p.DNSOnly {
		return servers.Lookup
	}
	return hostwait.System
}

// Memory is how much memory entrain may use beside the trainer, in bytes. It grows with the number of hosts,
// since the leader has a connection to each. On a host alone it is 0, which stands for the default.
func (p *Peers) Memory() int64 {
	const base, perHost = 32 << 20, 24 << 10
	if p == nil {
		return 0
	}
	return base + int64(len(p.plan.Hosts))*perHost
}

// Context ends when this host has to end, because another host failed or was stopped. Its cause says which.
func (p *Peers) Context() context.Context {
	if p == nil {
		return context.Background()
	}
	return p.Session.Context()
}

// withSession returns a context that ends with ctx, and with the rendezvous' context.
func (p *Peers) withSession(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	session := p.Context()
	stop := context.AfterFunc(session, func() { cancel(context.Cause(session)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// tellPending tells the other hosts whose names do not resolve on this host yet.
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

// awaitRelease waits until all hosts are released, at the longest until w.Timeout after start.
func (p *Peers) awaitRelease(ctx context.Context, w plan.Wait, start time.Time) error {
	p.Ready(nil)
	ctx, cancel := context.WithDeadline(ctx, start.Add(w.Timeout))
	defer cancel()
	progressEnded := make(chan struct{})
	go func() {
		defer close(progressEnded)
		doubts := p.Doubts
		hostwait.Often(ctx, start, func(elapsed time.Duration) {
			missing, number := p.Missing()
			p.tellMissing(w, elapsed, missing, number)
			for _, doubt := range doubts(ctx) {
				p.Log.Warn().Msg(doubt)
			}
			doubts = func(context.Context) []string { return nil } // told once
		})
	}()
	members, err := p.Gather(ctx)
	p.members = members
	if errors.Is(err, context.DeadlineExceeded) {
		missing, number := p.Missing()
		err = &hostwait.UnavailableError{
			Missing: missing, Number: number, Of: len(w.Hosts), Elapsed: time.Since(start),
			Doubts: p.doubtsAtLast(ctx),
		}
	}
	cancel()
	<-progressEnded
	if err == nil {
		p.Log.Debug().Msgf("all %d hosts have joined after %s: %+v",
			len(w.Hosts), time.Since(start).Round(time.Millisecond), members)
	}
	return err
}

// doubtsAtLast says what may be wrong with this host, after ctx has ended.
func (p *Peers) doubtsAtLast(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), doubtsTime)
	defer cancel()
	return p.Doubts(ctx)
}

// doubtsTime bounds the look-up of this host's own name after the wait for the others. The name has resolved
// before, so the answer usually comes from a file or a near server.
const doubtsTime = time.Second

// End tells the other hosts how this host's work ended. follows says that this is because of another failure.
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
	text := strings.TrimPrefix(report.Summary(err), p.plan.Host+": ") // the other hosts add the name again
	p.Session.End(rendezvous.End{
		Code: report.ExitCode(err), Text: p.mask(text), At: at, Follows: follows,
		Final: isFinal(err),
	})
}
