package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"entrain/hostwait"
	"entrain/proc"
)

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
