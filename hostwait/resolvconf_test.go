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

func TestParseResolvConf(t *testing.T) {
	ten := strings.Repeat("0123456789", 10) // characters: a hundred
	for text, want := range map[string]NameServers{
		"":        {},
		"# a\n;b": {},
		"nameserver 127.0.0.11\nnameserver bad\nnameserver fd00::1\nsearch a.b c\noptions ndots:2 timeout:3 attempts:4 rotate\n": {
			Servers: servers("127.0.0.11", "fd00::1"), Search: []string{"a.b", "c"}, NDots: 2, Timeout: 3 * time.Second, Attempts: 4,
		},
		"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4": {
			Servers: servers("10.0.0.1", "10.0.0.2", "10.0.0.3"),
		},
		"search a b c d e f g h":                        {Search: []string{"a", "b", "c", "d", "e", "f"}},
		"search " + ten + " " + ten + " x " + ten:       {Search: []string{ten, ten, "x"}},
		"search " + ten + " " + ten + " " + ten[:54]:    {Search: []string{ten, ten, ten[:54]}},
		"search " + ten + " " + ten + " " + ten[:55]:    {Search: []string{ten, ten}},
		"search " + ten + ten + ten:                     {Search: []string{}},
		"search a b\ndomain c d":                        {Search: []string{"c"}},
		"domain c\nsearch a b":                          {Search: []string{"a", "b"}},
		"options ndots:99 timeout:99 attempts:99":       {NDots: 15, Timeout: 30 * time.Second, Attempts: 5},
		"options ndots:0 timeout:0 attempts:0":          {NDots: -1},
		"options ndots:x timeout: attempts:-1 ndots:-2": {},
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
		if diff := cmp.Diff(&want, parseResolvConf(text), cmp.Comparer(same)); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", text, diff)
		}
	}
}

func same(a, b netip.AddrPort) bool { return a == b }

func servers(addrs ...string) []netip.AddrPort {
	var list []netip.AddrPort
	for _, a := range addrs {
		list = append(list, netip.AddrPortFrom(netip.MustParseAddr(a), 53))
	}
	return list
}

func TestReadResolvConf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	// One line longer than a scanner's 64 KiB must not hide the next.
	write(t, path, "# "+strings.Repeat("x", 100_000)+"\nnameserver 127.0.0.11\n")
	n, err := ReadResolvConf(path)
	if err != nil || len(n.Servers) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	write(t, path, "")
	if _, err := ReadResolvConf(path); err == nil {
		t.Error("no name server is no error")
	}
	if _, err := ReadResolvConf(path + ".gone"); err == nil {
		t.Error("no file is no error")
	}
}

// FuzzResolvConf: no text takes a resolver beyond the C library's limits, or makes it ask for ever.
func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 127.0.0.11\nsearch a.b c\noptions ndots:2 timeout:3 attempts:4\n")
	f.Add("nameserver fe80::1%eth0\ndomain x\noptions ndots:999999999999999999999\n")
	f.Add("nameserver\t::1\r\nsearch . .. a.\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := parseResolvConf(text)
		shown := fmt.Sprintf("%+v", n)
		switch {
		case len(n.Servers) > 3, len(n.Search) > 6, len(strings.Join(n.Search, " ")) > 256:
			t.Fatalf("%q: too much: %s", text, shown)
		case n.NDots < 0 || n.NDots > 15, n.Timeout < time.Second || n.Timeout > 30*time.Second, n.Attempts < 0 || n.Attempts > 5:
			t.Fatalf("%q: out of bounds: %s", text, shown)
		}
		for _, server := range n.Servers {
			if !server.IsValid() {
				t.Fatalf("%q: %s", text, shown)
			}
		}
		if names := n.names("algo-1"); len(names) != len(n.Search)+1 {
			t.Fatalf("%q: %q", text, names)
		}
	})
}

// FuzzHosts: whatever else is in a hosts file, the line of a host is found.
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

// FuzzReply: no message of a name server breaks the reader, and none but a reply to the question gives an address.
func FuzzReply(f *testing.F) {
	q := query{id: 7}
	f.Add([]byte("\x00\x07\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x07\x82\x00\x00\x00\x00\x00\x00\x00\x00\x00rubbish"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		addrs, truncated, err := q.read(reply)
		if len(addrs) > 0 && (err != nil || truncated || len(reply) < 12 || reply[1] != 7) {
			t.Fatalf("%q: %v, %v, %v", reply, addrs, truncated, err)
		}
	})
}
