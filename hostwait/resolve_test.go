package hostwait

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers on UDP and TCP from a table of absolute names; "big." does not fit into a datagram.
func nameServer(t *testing.T, table map[string]string) netip.AddrPort {
	t.Helper()
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := stream.Addr().(*net.TCPAddr).AddrPort()
	packets, err := net.ListenPacket("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close(); _ = packets.Close() })
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(answer(buffer[:n], table, true), from)
		}
	}()
	go func() {
		for {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			size := make([]byte, 2)
			_, _ = io.ReadFull(conn, size)
			query := make([]byte, binary.BigEndian.Uint16(size))
			_, _ = io.ReadFull(conn, query)
			reply := answer(query, table, false)
			_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			_ = conn.Close()
		}
	}()
	return addr
}

func answer(query []byte, table map[string]string, datagram bool) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	m.Response = true
	if m.Questions[0].Name.String() == "forged." {
		m.ID++
	}
	q := m.Questions[0]
	text, known := table[q.Name.String()]
	switch addr, err := netip.ParseAddr(text); {
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case text == "fails":
		m.RCode = dnsmessage.RCodeServerFailure
	case err != nil:
	case q.Name.String() == "big." && datagram:
		m.Truncated = true
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	reply, _ := m.Pack()
	return reply
}

func TestNameServers(t *testing.T) {
	server := nameServer(t, map[string]string{
		"algo-1.": "10.0.0.1", "algo-2.job.local.": "fd00::2", "a.b.": "10.0.0.3", "big.": "10.0.0.4", "empty.": "", "bad.": "fails", "forged.": "10.0.0.6",
		"dotted.host.": "10.0.0.7", "dotted.host.job.local.": "10.0.0.8",
	})
	n := &NameServers{Servers: []netip.AddrPort{server}, Search: []string{"none.local", "job.local"}, NDots: 1, Timeout: time.Second}
	for host, want := range map[string]string{
		"algo-1": "[10.0.0.1]", "algo-2": "[fd00::2]", "a.b": "[10.0.0.3]", "algo-1.": "[10.0.0.1]", "big": "[10.0.0.4]",
		"gone": "no such host", "empty": "no such host", "bad": "the name server says ServerFailure", "forged": "the name server answers rubbish", "dotted.host": "[10.0.0.7]", strings.Repeat("x", 300): "no such host",
	} {
		addrs, err := n.Lookup(t.Context(), host)
		got := fmt.Sprint(addrs)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.20s: %s, want %s", host, got, want)
		}
	}
}

// TestSilentNameServer: one that does not answer is passed over, and named when there is no other.
func TestSilentNameServer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	first := silent.LocalAddr().(*net.UDPAddr).AddrPort()
	n := &NameServers{Servers: []netip.AddrPort{first}, NDots: 1, Timeout: 50 * time.Millisecond}
	if _, err := n.Lookup(t.Context(), "algo-1"); err == nil || err.Error() != "name server 127.0.0.1 does not answer" {
		t.Errorf("got %v", err)
	}
	n.Servers = append(n.Servers, nameServer(t, map[string]string{"algo-1.": "10.0.0.1"}))
	if addrs, err := n.Lookup(t.Context(), "algo-1"); err != nil || len(addrs) != 1 {
		t.Errorf("got %v, %v", addrs, err)
	}
}

func TestReadResolvConf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	write(t, path, "# comment\nnameserver 127.0.0.11\nnameserver bad\nnameserver fd00::1\nsearch a.b c\noptions ndots:2 timeout:3 rotate\n")
	n, err := ReadResolvConf(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &NameServers{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.11:53"), netip.MustParseAddrPort("[fd00::1]:53")},
		Search:  []string{"a.b", "c"}, NDots: 2, Timeout: 3 * time.Second,
	}
	if diff := cmp.Diff(want, n, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(t, path, "")
	if _, err := ReadResolvConf(path); err == nil {
		t.Error("no name server is no error")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHostsFile: it is read anew each time, and a different answer of the DNS is told.
func TestHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "127.0.0.1 localhost\n10.9.9.9  ALGO-1 x # algo-3\n10.0.0.2 algo-2\nbad algo-1\n")
	dns := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.2")}, nil
	}
	var told []string
	f := &HostsFile{Path: path, Compare: dns, Disagree: func(host string, file, dns []netip.Addr) {
		told = append(told, fmt.Sprintf("%s %v %v", host, file, dns))
	}}
	lookup := func(host string) string {
		addrs, err := f.Lookup(t.Context(), host)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(addrs)
	}
	for _, c := range [][2]string{{"algo-1", "[10.9.9.9]"}, {"algo-2", "[10.0.0.2]"}, {"algo-3", "no such host"}} {
		if got := lookup(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	if diff := cmp.Diff([]string{"algo-1 [10.9.9.9] [10.0.0.2]"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	write(t, path, "10.8.8.8 algo-3\n")
	if got := lookup("algo-3"); got != "[10.8.8.8]" {
		t.Errorf("a name that was added to the hosts file: %s", got)
	}
	f.Path += ".gone"
	if got := lookup("algo-3"); !strings.Contains(got, "no such file") {
		t.Errorf("without the file: %s", got)
	}
}

// TestCompareIsPatient: a name server that does not answer must not hold back what the hosts file knows.
func TestCompareIsPatient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "10.9.9.9 algo-1\n")
	f := &HostsFile{Path: path, Disagree: func(string, []netip.Addr, []netip.Addr) { t.Error("nothing to tell") }}
	f.Compare = func(ctx context.Context, _ string) ([]netip.Addr, error) {
		<-ctx.Done() // ends, or this test does not
		return nil, ctx.Err()
	}
	if err := Lookup(f.Lookup).Probe(t.Context(), "algo-1"); err != nil {
		t.Error(err)
	}
}

// TestSystem looks up an address, which every system can, and localhost where the hosts file has it: a root without that
// file is none where a test waits for it.
func TestSystem(t *testing.T) {
	known := []string{"127.0.0.1"}
	if file, err := os.ReadFile("/etc/hosts"); err == nil && slices.Contains(strings.Fields(string(file)), "localhost") {
		known = append(known, "localhost")
	}
	for _, name := range known {
		if addrs, err := System(t.Context(), name); err != nil || len(addrs) == 0 {
			t.Errorf("%s: %v, %v", name, addrs, err)
		}
	}
	if _, err := System(t.Context(), "no-such-host.invalid"); err == nil || strings.Contains(err.Error(), "no-such-host.invalid") {
		t.Errorf("want an error that does not repeat the name, got %v", err)
	}
}
