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

// Lookup gives the addresses of a host: at least one, or an error.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// Probe is nil once the host has an address.
func (l Lookup) Probe(ctx context.Context, host string) error {
	_, err := l(ctx, host)
	return err
}

// HostsFile looks names up in a hosts file, and reads the file each time. The standard resolver keeps what it read for
// five seconds, and waits for a name server meanwhile.
type HostsFile struct {
	Path string // usually /etc/hosts
	// Compare is a second lookup of each name that the file has. Disagree is called when it finds other addresses: the
	// platform warns that its hosts file may be inaccurate. Both may be nil.
	Compare  Lookup
	Disagree func(host string, file, dns []netip.Addr)
}

// Lookup gives the addresses that the file has for a host; it is of the type Lookup.
func (f *HostsFile) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := f.read(host)
	if err != nil || f.Compare == nil {
		return addrs, err
	}
	// Not under ctx: that may end as soon as somebody else has found the host, and the warning is worth 20 ms.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), compareTime)
	defer cancel()
	dns, err := f.Compare(ctx, host)
	if err == nil && !slices.ContainsFunc(dns, func(a netip.Addr) bool { return slices.Contains(addrs, a) }) {
		f.Disagree(host, addrs, dns)
	}
	return addrs, nil
}

// read finds the addresses of a host in the file.
func (f *HostsFile) read(host string) ([]netip.Addr, error) {
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

// parseHosts finds the addresses of a host in the text of a hosts file (hosts(5)). Names are compared without case, and
// a line that cannot be read is skipped, as the C library does.
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
