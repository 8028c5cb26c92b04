package peers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"entrain/bootstrap/plan"
	"entrain/hostwait"
	"entrain/proc"
)

// Await waits until the names of all hosts resolve on this host. With a rendezvous it then waits until all
// hosts are released, which happens when the names resolve on every host. p is nil without a rendezvous.
//
// The function open, if it is not nil, is called before the release. It makes what the other hosts find on
// this host when they are released.
//
// The error is a *hostwait.UnavailableError after w.Timeout, a *proc.SignalError after a signal, or what the
// rendezvous ended with.
func (h Process) Await(p *Peers, w plan.Wait, open func(context.Context) error) error {
	if len(w.Hosts) == 0 {
		h.Log.Took("wait", 0)
		h.Log.Took("rendezvous", 0)
		if open != nil {
			return open(context.Background())
		}
		return nil
	}
	probe, o, err := h.probe(w)
	if err != nil {
		return err
	}
	signals, release := h.Signals.Context(context.Background())
	ctx, cancel := p.withSession(signals)
	start := time.Now()
	o.Timeout = w.Timeout
	o.Progress = func(elapsed time.Duration, missing []hostwait.Missing) {
		p.tellPending(missing)
		h.tellMissing(w, elapsed, missing, len(missing))
	}
	if err = hostwait.All(ctx, probe, w.Hosts, o); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("waiting for host names: %w", err)
		}
	} else if open != nil {
		err = open(ctx)
	}
	h.Log.Took("wait", time.Since(start))
	if err == nil && p != nil {
		end := h.Log.Phase("rendezvous")
		err = p.awaitRelease(ctx, w, start)
		end()
	}
	cancel()
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(signals)); ok {
		return fmt.Errorf("%w while this host waited for the others", stop) // also if all hosts were ready already
	}
	return err
}

// tellMissing logs which hosts are missing: the first of them, and the number of all.
func (h Process) tellMissing(w plan.Wait, elapsed time.Duration, missing []hostwait.Missing, number int) {
	if len(missing) == 0 {
		return // all hosts are ready, so the wait is about to end
	}
	h.Log.Waiting(number, len(w.Hosts), elapsed, w.Timeout-elapsed, hostwait.Names(missing, number))
}

// probe says how to look names up: as the trainer will, with the hosts file for hints, or by DNS alone.
func (h Process) probe(w plan.Wait) (hostwait.Probe, hostwait.Options, error) {
	servers, err := hostwait.ReadResolvConf(resolvConf)
	if w.DNSOnly {
		if err != nil {
			return nil, hostwait.Options{}, noServersError(err)
		}
		return hostwait.Lookup(servers.Lookup).Probe, hostwait.Options{}, nil
	}
	file := &hostwait.HostsFile{Path: "/etc/hosts"}
	if err == nil {
		file.Compare = servers.Lookup
		file.Disagree = func(host string, file, dns []netip.Addr) {
			h.Log.Warn().Msgf("host %s has the address %v in /etc/hosts and %v in the DNS: one of them is wrong\n"+
				"hint: --dns-only leaves /etc/hosts out", host, file, dns)
		}
	}
	o := hostwait.Options{Hint: hostwait.Lookup(file.Lookup).Probe}
	return hostwait.Lookup(hostwait.System).Probe, o, nil
}

const resolvConf = "/etc/resolv.conf"
