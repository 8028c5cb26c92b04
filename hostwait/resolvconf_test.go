package hostwait

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestResolvConfIsReadAsTheCLibraryReadsIt holds the syntax, the defaults and the limits.
func TestResolvConfIsReadAsTheCLibraryReadsIt(t *testing.T) {
	label := strings.Repeat("0123456789", 10) // 100 characters
	for text, want := range map[string]NameServers{
		"":        {},
		"# a\n;b": {},
		"nameserver 127.0.0.11\nnameserver bad\nnameserver fd00::1\nsearch a.b c\n" +
			"options ndots:2 timeout:3 attempts:4 rotate\n": {
			Servers: servers("127.0.0.11", "fd00::1"), Search: []string{"a.b", "c"},
			NDots: 2, Timeout: 3 * time.Second, Attempts: 4,
		},
		"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4": {
			Servers: servers("10.0.0.1", "10.0.0.2", "10.0.0.3"),
		},
		"search a b c d e f g h":                           {Search: []string{"a", "b", "c", "d", "e", "f"}},
		"search " + label + " " + label + " x " + label:    {Search: []string{label, label, "x"}},
		"search " + label + " " + label + " " + label[:54]: {Search: []string{label, label, label[:54]}},
		"search " + label + " " + label + " " + label[:55]: {Search: []string{label, label}},
		"search " + label + label + label:                  {Search: []string{}},
		"search a b\ndomain c d":                           {Search: []string{"c"}},
		"domain c\nsearch a b":                             {Search: []string{"a", "b"}},
		"options ndots:99 timeout:99 attempts:99":          {NDots: 15, Timeout: 30 * time.Second, Attempts: 5},
		"options ndots:0 timeout:0 attempts:0":             {NDots: -1},
		"options ndots:x timeout: attempts:-1 ndots:-2":    {},
	} {
		switch want.NDots {
		case 0:
			want.NDots = 1
		case -1:
			want.NDots = 0
		}
		if want.Timeout == 0 {
			want.Timeout = 2 * time.Second
		}
		if diff := cmp.Diff(&want, parseResolvConf(text), cmp.Comparer(isSame)); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", text, diff)
		}
	}
}

func isSame(a, b netip.AddrPort) bool { return a == b }

// servers makes the servers of addresses, at the port of the DNS.
func servers(addrs ...string) []netip.AddrPort {
	var list []netip.AddrPort
	for _, a := range addrs {
		list = append(list, netip.AddrPortFrom(netip.MustParseAddr(a), 53))
	}
	return list
}

// TestResolvConfWithoutServerIsRefused: a file without a name server, and a missing file, are errors.
func TestResolvConfWithoutServerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	// A line longer than the 64 KiB of a bufio.Scanner must not hide the next line.
	write(t, path, "# "+strings.Repeat("x", 100_000)+"\nnameserver 127.0.0.11\n")
	n, err := ReadResolvConf(path)
	if err != nil || len(n.Servers) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	write(t, path, "")
	if _, err := ReadResolvConf(path); err == nil {
		t.Error("a file without a name server is accepted")
	}
	if _, err := ReadResolvConf(path + ".gone"); err == nil {
		t.Error("a missing file is accepted")
	}
}

// FuzzResolvConf: no text exceeds the limits of the C library, or makes a lookup endless.
func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 127.0.0.11\nsearch a.b c\noptions ndots:2 timeout:3 attempts:4\n")
	f.Add("nameserver fe80::1%eth0\ndomain x\noptions ndots:999999999999999999999\n")
	f.Add("nameserver\t::1\r\nsearch . .. a.\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := parseResolvConf(text)
		shown := fmt.Sprintf("%+v", n)
		switch {
		case len(n.Servers) > 3, len(n.Search) > 6, len(strings.Join(n.Search, " ")) > 256:
			t.Fatalf("%q: too many: %s", text, shown)
		case n.NDots < 0 || n.NDots > 15, n.Attempts < 0 || n.Attempts > 5,
			n.Timeout < time.Second || n.Timeout > 30*time.Second:
			t.Fatalf("%q: out of bounds: %s", text, shown)
		}
		for _, server := range n.Servers {
			if !server.IsValid() {
				t.Fatalf("%q: %s", text, shown)
			}
		}
		if names := n.absoluteNames("algo-1"); len(names) != len(n.Search)+1 {
			t.Fatalf("%q: %q", text, names)
		}
	})
}

// FuzzHosts: the line of a host is found, whatever the other lines of the hosts file are.
func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n", "::1 ip6-localhost # algo-1")
	f.Add("10.0.0.1 algo-2 ALGO-1", "fe80::1%eth0 algo-1\r")
	f.Add("\x00\xff", "bad algo-1")
	f.Fuzz(func(t *testing.T, before, after string) {
		want := netip.MustParseAddr("192.0.2.1")
		addrs := parseHosts(before+"\n192.0.2.1 x Algo-1\n"+after, "algo-1")
		found := false
		for _, addr := range addrs {
			if !addr.IsValid() || addr.Is4In6() {
				t.Fatalf("%q, %q: %v", before, after, addr)
			}
			found = found || addr == want
		}
		if !found {
			t.Fatalf("%q, %q: %v without %v", before, after, addrs, want)
		}
	})
}

// FuzzReply: no message of a name server breaks the decoder. Only a reply to the question gives an address.
func FuzzReply(f *testing.F) {
	q := query{id: 7}
	f.Add([]byte("\x00\x07\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x07\x82\x00\x00\x00\x00\x00\x00\x00\x00\x00rubbish"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		addrs, truncated, err := q.decode(reply)
		if len(addrs) > 0 && (err != nil || truncated || len(reply) < 12 || reply[1] != 7) {
			t.Fatalf("%q: %v, %v, %v", reply, addrs, truncated, err)
		}
	})
}
