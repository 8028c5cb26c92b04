package hostwait

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// System is the standard library's resolver: what a trainer written in Go would find, and near enough to libc's.
func System(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, reason(err)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

// NameServers asks the name servers of a resolv.conf(5) and nothing else: the standard resolver cannot leave
// out the hosts file.
type NameServers struct {
	Servers []netip.AddrPort
	Search  []string // domains to try a short name in
	NDots   int      // a name with that many dots is tried as it is first
	Timeout time.Duration
}

// ReadResolvConf reads the name servers of a file, usually /etc/resolv.conf.
func ReadResolvConf(path string) (*NameServers, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n := &NameServers{NDots: 1, Timeout: 2 * time.Second}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			if addr, err := netip.ParseAddr(fields[1]); err == nil {
				n.Servers = append(n.Servers, netip.AddrPortFrom(addr, 53))
			}
		case "search", "domain":
			n.Search = fields[1:]
		case "options":
			n.options(fields[1:])
		}
	}
	if len(n.Servers) == 0 {
		return nil, fmt.Errorf("%s names no name server", path)
	}
	return n, nil
}

func (n *NameServers) options(words []string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, ":")
		number, err := strconv.Atoi(value)
		switch {
		case err != nil || number < 0:
		case name == "ndots":
			n.NDots = min(number, 15)
		case name == "timeout" && number > 0:
			n.Timeout = time.Duration(min(number, 30)) * time.Second
		}
	}
}

// Lookup gives the addresses of a host: the first name of the search list that has any.
func (n *NameServers) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	var last error
	for _, name := range n.names(host) {
		addrs, err := n.ask(ctx, name)
		if len(addrs) > 0 {
			return addrs, nil
		}
		if last == nil || !errors.Is(err, errNoSuchHost) {
			last = err
		}
	}
	return nil, last
}

// names are the absolute names to try, in the order of resolv.conf(5).
func (n *NameServers) names(host string) []string {
	if strings.HasSuffix(host, ".") {
		return []string{host}
	}
	var names []string
	for _, domain := range n.Search {
		names = append(names, strings.TrimSuffix(host+"."+domain, ".")+".")
	}
	if strings.Count(host, ".") >= n.NDots {
		return append([]string{host + "."}, names...)
	}
	return append(names, host+".")
}

var errNoSuchHost = errors.New("no such host")

// ask asks each server in turn until one answers, for IPv4 and for IPv6.
func (n *NameServers) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	var last error
	for _, server := range n.Servers {
		v4, err4 := n.exchange(ctx, server, name, dnsmessage.TypeA)
		v6, err6 := n.exchange(ctx, server, name, dnsmessage.TypeAAAA)
		if addrs := append(v4, v6...); len(addrs) > 0 {
			return addrs, nil
		}
		if err4 == nil && err6 == nil {
			return nil, errNoSuchHost // the name may be there, with no address
		}
		if last = err4; last == nil {
			last = err6
		}
		if errors.Is(last, errNoSuchHost) {
			return nil, last
		}
	}
	return nil, last
}

// exchange asks one server one question, by TCP when the answer does not fit into a datagram.
func (n *NameServers) exchange(ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type) ([]netip.Addr, error) {
	query, id, err := question(name, kind)
	if err != nil {
		return nil, err
	}
	for _, network := range []string{"udp", "tcp"} {
		addrs, truncated, err := n.once(ctx, network, server, query, id)
		if err != nil || !truncated {
			return addrs, err
		}
	}
	return nil, errors.New("the name server's answer is too long")
}

func question(name string, kind dnsmessage.Type) (query []byte, id uint16, err error) {
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, 0, errNoSuchHost
	}
	id = uint16(rand.Uint32()) //nolint:gosec // the runtime's generator is ChaCha8, seeded by the kernel
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: full, Type: kind, Class: dnsmessage.ClassINET}},
	}
	query, err = message.Pack()
	return query, id, err
}

func (n *NameServers) once(ctx context.Context, network string, server netip.AddrPort, query []byte, id uint16) ([]netip.Addr, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, false, fmt.Errorf("name server %s: %w", server.Addr(), err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	reply, err := roundTrip(conn, network == "tcp", query)
	if err != nil {
		return nil, false, fmt.Errorf("name server %s does not answer", server.Addr())
	}
	return parse(reply, id)
}

// roundTrip sends a query and reads one reply; over TCP both follow their length in two bytes.
func roundTrip(conn net.Conn, stream bool, query []byte) ([]byte, error) {
	if !stream {
		if _, err := conn.Write(query); err != nil {
			return nil, err
		}
		reply := make([]byte, 512)
		size, err := conn.Read(reply)
		return reply[:size], err
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil { //nolint:gosec // a query of one name is short
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, reply)
	return reply, err
}

func parse(reply []byte, id uint16) (addrs []netip.Addr, truncated bool, err error) {
	var message dnsmessage.Message
	if err := message.Unpack(reply); err != nil || message.ID != id || !message.Response {
		return nil, false, errors.New("the name server answers rubbish")
	}
	switch {
	case message.RCode == dnsmessage.RCodeNameError:
		return nil, false, errNoSuchHost
	case message.RCode != dnsmessage.RCodeSuccess:
		return nil, false, fmt.Errorf("the name server says %s", strings.TrimPrefix(message.RCode.String(), "RCode"))
	}
	for _, answer := range message.Answers {
		switch body := answer.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, netip.AddrFrom16(body.AAAA))
		}
	}
	return addrs, message.Truncated, nil
}
