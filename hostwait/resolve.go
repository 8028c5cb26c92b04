package hostwait

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// Resolver looks names up as a trainer will: in the hosts file, then in the DNS. Both are asked anew each
// time: the standard resolver keeps the hosts file for five seconds.
type Resolver struct {
	HostsFile string // usually /etc/hosts; empty leaves it out
	DNS       Lookup // asked for what the hosts file does not know
	// Compare is asked for what it does know, and Disagree is told when that gives other addresses: the platform
	// warns that its hosts file may be inaccurate. Both may be nil.
	Compare  Lookup
	Disagree func(host string, file, dns []netip.Addr)
}

// Lookup gives the addresses of a host: at least one, or an error.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// attempt is how long one question may take: a name server that does not answer is asked again.
const attempt = 5 * time.Second

// patience is how long a comparison with the DNS may hold back a name that the hosts file knows.
const patience = 20 * time.Millisecond

// Probe is a Probe: nil once the host has an address.
func (r *Resolver) Probe(ctx context.Context, host string) error {
	_, err := r.Lookup(ctx, host)
	return err
}

// Lookup gives the addresses of a host.
func (r *Resolver) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	if file := r.fromFile(host); len(file) > 0 {
		r.compare(ctx, host, file)
		return file, nil
	}
	return r.DNS(ctx, host)
}

func (r *Resolver) compare(ctx context.Context, host string, file []netip.Addr) {
	if r.Compare == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dns, err := r.Compare(ctx, host)
	if err == nil && !slices.ContainsFunc(dns, func(a netip.Addr) bool { return slices.Contains(file, a) }) {
		r.Disagree(host, file, dns)
	}
}

// fromFile reads the addresses of a host from the hosts file (hosts(5)); names are compared without case.
func (r *Resolver) fromFile(host string) []netip.Addr {
	if r.HostsFile == "" {
		return nil
	}
	f, err := os.Open(r.HostsFile)
	if err != nil {
		return nil // an image without a hosts file has the DNS alone
	}
	defer f.Close()
	var addrs []netip.Addr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || !slices.ContainsFunc(fields[1:], func(name string) bool { return strings.EqualFold(name, host) }) {
			continue
		}
		if addr, err := netip.ParseAddr(fields[0]); err == nil {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// reason is an error of the net package without the name, which the caller has, and without the server.
func reason(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsTimeout {
			return errors.New("the name server does not answer")
		}
		return errors.New(dns.Err)
	}
	return err
}
