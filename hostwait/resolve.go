package hostwait

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Lookup returns the addresses of a host: at least one, or an error.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// Probe returns nil if the host has an address. It is a function of the type Probe.
func (l Lookup) Probe(ctx context.Context, host string) error {
	_, err := l(ctx, host)
	return err
}

// HostsFile looks names up in a hosts file, which it reads each time. The resolver of the standard library
// reads the file at most every five seconds, and asks a name server meanwhile.
type HostsFile struct {
	Path string // usually /etc/hosts
	// Compare looks up each name that the file has, a second time. Disagree is called when Compare finds only
	// other addresses: the platform warns that its hosts file may be inaccurate. Both may be nil.
	Compare  Lookup
	Disagree func(host string, file, dns []netip.Addr)
}

// Lookup returns the addresses that the file has for a host. It is a function of the type Lookup.
func (f *HostsFile) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := f.find(host)
	if err != nil || f.Compare == nil {
		return addrs, err
	}
	// The comparison does not end with ctx: ctx may end as soon as another probe has found the host, and the
	// warning is worth the 20 ms.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), compareTime)
	defer cancel()
	dns, err := f.Compare(ctx, host)
	if err == nil && !slices.ContainsFunc(dns, func(a netip.Addr) bool { return slices.Contains(addrs, a) }) {
		f.Disagree(host, addrs, dns)
	}
	return addrs, nil
}

// find returns the addresses of a host in the file.
func (f *HostsFile) find(host string) ([]netip.Addr, error) {
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	addrs := parseHosts(string(text), host)
	if len(addrs) == 0 {
		return nil, errNoSuchHost
	}
	return addrs, nil
}

// parseHosts returns the addresses of a host in the text of a hosts file (hosts(5)). Like the C library, it
// ignores the case of names and skips lines that it cannot read.
func parseHosts(text, host string) []netip.Addr {
	isHost := func(name string) bool { return strings.EqualFold(name, host) }
	var addrs []netip.Addr
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || !slices.ContainsFunc(fields[1:], isHost) {
			continue
		}
		if addr, err := netip.ParseAddr(fields[0]); err == nil {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// bareError returns an error of the net package without the name of the host and of the server. The caller
// adds the host.
func bareError(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsTimeout {
			return errors.New("the name server does not answer")
		}
		return errors.New(dns.Err)
	}
	return err
}
