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

// Await returns when all names resolve here and, where there is a rendezvous, when that is so on all hosts. Then all are
// released. Ready makes what the others find on this host when they are released; nil for nothing.
func (h Process) Await(p *Peers, w plan.Wait, ready func(context.Context) error) error {
	if len(w.Hosts) == 0 {
		h.Log.Took("wait", 0)
		h.Log.Took("rendezvous", 0)
		if ready != nil {
			return ready(context.Background())
		}
		return nil
	}
	probe, o, err := h.probe(w)
	if err != nil {
		return err
	}
	signals, release := h.Signals.Context(context.Background())
	ctx, unite := p.unite(signals)
	start := time.Now()
	o.Timeout = w.Timeout
	o.Progress = func(elapsed time.Duration, missing []hostwait.Missing) {
		p.tellPending(missing)
		h.tellMissing(w, elapsed, missing)
	}
	if err = hostwait.All(ctx, probe, w.Hosts, o); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("waiting for host names: %w", err)
		}
	} else if ready != nil {
		err = ready(ctx)
	}
	h.Log.Took("wait", time.Since(start))
	if err == nil && p != nil {
		end := h.Log.Phase("rendezvous")
		err = p.gather(ctx, w, start)
		end()
	}
	unite()
	release()
	if stop, ok := errors.AsType[*proc.SignalError](context.Cause(signals)); ok {
		return fmt.Errorf("waiting for the other hosts: %w", stop) // it may have come when all were there
	}
	return err
}

func (h Process) tellMissing(w plan.Wait, elapsed time.Duration, missing []hostwait.Missing) {
	if len(missing) == 0 {
		return // it is about to go on
	}
	h.Log.Waiting(len(missing), len(w.Hosts), elapsed, w.Timeout-elapsed, hostwait.Names(missing))
}

// probe says how to ask: the DNS, and unless that is all the hosts file beside it.
func (h Process) probe(w plan.Wait) (hostwait.Probe, hostwait.Options, error) {
	servers, err := hostwait.ReadResolvConf(resolvConf)
	if w.DNSOnly {
		if err != nil {
			return nil, hostwait.Options{}, &plan.UsageError{Err: fmt.Errorf("--dns-only: %w", err)}
		}
		return hostwait.Lookup(servers.Lookup).Probe, hostwait.Options{}, nil
	}
	file := &hostwait.HostsFile{Path: "/etc/hosts"}
	if err == nil {
		file.Compare = servers.Lookup
		file.Disagree = func(host string, file, dns []netip.Addr) {
			h.Log.Warn().Msgf("host %s has the address %v in /etc/hosts and %v in the DNS: one of them is wrong\nhint: --dns-only leaves /etc/hosts out", host, file, dns)
		}
	}
	return hostwait.Lookup(hostwait.System).Probe, hostwait.Options{Hint: hostwait.Lookup(file.Lookup).Probe}, nil
}

const resolvConf = "/etc/resolv.conf"
