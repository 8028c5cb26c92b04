package hostwait

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer starts a name server that answers by UDP and TCP from a table of absolute names. Its answer
// for "big." does not fit into a datagram.
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
			sendForgedReplies(t, buffer[:n], packets, from)
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

// sendForgedReplies sends messages that are no reply to a query for "forged." or "only-forged.", from the
// address of the server and from another one.
func sendForgedReplies(t *testing.T, query []byte, server net.PacketConn, to net.Addr) {
	t.Helper()
	var m dnsmessage.Message
	if m.Unpack(query) != nil || !strings.HasSuffix(m.Questions[0].Name.String(), "forged.") {
		return
	}
	send := func(from net.PacketConn, change func(*dnsmessage.Message)) {
		forged := m
		forged.Questions = slices.Clone(m.Questions)
		forged.Response, forged.Additionals = true, nil
		forged.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: [4]byte{6, 6, 6, 6}},
		}}
		change(&forged)
		reply, err := forged.Pack()
		if err != nil {
			t.Error(err)
		}
		_, _ = from.WriteTo(reply, to)
	}
	send(server, func(m *dnsmessage.Message) { m.ID++ })
	send(server, func(m *dnsmessage.Message) { m.Response = false })
	send(server, func(m *dnsmessage.Message) { m.Questions = nil })
	send(server, func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("other.") })
	send(server, func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX })
	_, _ = server.WriteTo([]byte("rubbish"), to)
	_, _ = server.WriteTo(nil, to)
	other, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	defer other.Close()
	send(other, func(*dnsmessage.Message) {})
}

// answer makes the reply of a name server to a query. The names in it say which faults the server has.
func answer(query []byte, table map[string]string, datagram bool) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	m.Response = true
	q := m.Questions[0]
	edns := len(m.Additionals) == 1 &&
		m.Additionals[0].Header.Type == dnsmessage.TypeOPT && m.Additionals[0].Header.Class == 1232
	m.Additionals = nil
	resource := func(body dnsmessage.ResourceBody) []dnsmessage.Resource {
		return []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: body}}
	}
	text, known := table[q.Name.String()]
	switch addr, err := netip.ParseAddr(text); {
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case text == "fails":
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Name.String() == "only-forged.":
		m.ID++
	case q.Name.String() == "old." && edns: // the server could not read the question
		m.RCode, m.Questions = dnsmessage.RCodeFormatError, nil
	case q.Name.String() == "simple." && edns:
		m.RCode = dnsmessage.RCodeNotImplemented
	case q.Name.String() == "needs-edns." && !edns:
		m.RCode = dnsmessage.RCodeRefused
	case err != nil:
	case q.Name.String() == "big." && datagram:
		m.Truncated = true
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = resource(&dnsmessage.AResource{A: addr.As4()})
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = resource(&dnsmessage.AAAAResource{AAAA: addr.As16()})
	}
	reply, _ := m.Pack()
	return reply
}

// TestNameServersAreAskedAsTheCLibraryAsks holds the search list, the fallbacks to TCP and to questions
// without EDNS, and the errors.
func TestNameServersAreAskedAsTheCLibraryAsks(t *testing.T) {
	server := nameServer(t, map[string]string{
		"algo-1.": "10.0.0.1", "algo-2.job.local.": "fd00::2", "a.b.": "10.0.0.3", "big.": "10.0.0.4", "empty.": "",
		"bad.": "fails", "forged.": "10.0.0.6", "only-forged.": "10.0.0.6",
		"old.": "10.0.0.9", "simple.": "10.0.0.10",
		"dotted.host.": "10.0.0.7", "dotted.host.job.local.": "10.0.0.8", "needs-edns.": "10.0.0.11",
	})
	n := &NameServers{
		Servers: []netip.AddrPort{server}, Search: []string{"none.local", "job.local"}, NDots: 1,
		Timeout: time.Second,
	}
	for host, want := range map[string]string{
		"algo-1": "[10.0.0.1]", "algo-2": "[fd00::2]", "a.b": "[10.0.0.3]", "algo-1.": "[10.0.0.1]",
		"ALGO-1.": "no such host",
		"big":     "[10.0.0.4]", "dotted.host": "[10.0.0.7]",
		"gone": "no such host", "empty": "no such host", strings.Repeat("x", 300): "no such host",
		"bad":    "the name server says ServerFailure",
		"forged": "[10.0.0.6]",
		"old":    "[10.0.0.9]", "simple": "[10.0.0.10]", "needs-edns": "[10.0.0.11]",
	} {
		if got := look(t, n, host); got != want {
			t.Errorf("%.20s: %s, expected %s", host, got, want)
		}
	}
	n.Timeout = 50 * time.Millisecond
	const others = "name server 127.0.0.1 sends only replies that do not belong to the question"
	if got := look(t, n, "only-forged."); got != others {
		t.Errorf("only-forged: %s, expected %s", got, others)
	}
}

// look returns the addresses of a host, or the error, as text.
func look(t *testing.T, n *NameServers, host string) string {
	t.Helper()
	addrs, err := n.Lookup(t.Context(), host)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(addrs)
}

// TestSilentNameServerIsPassedOver: the next server is asked after a silent one. Where there is no other
// server, the error names the silent one.
func TestSilentNameServerIsPassedOver(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	first := silent.LocalAddr().(*net.UDPAddr).AddrPort()
	n := &NameServers{Servers: []netip.AddrPort{first}, NDots: 1, Timeout: 50 * time.Millisecond}
	if got := look(t, n, "algo-1"); got != "name server 127.0.0.1 does not answer" {
		t.Errorf("got %s", got)
	}
	n.Servers = append(n.Servers, nameServer(t, map[string]string{"algo-1.": "10.0.0.1"}))
	if addrs, err := n.Lookup(t.Context(), "algo-1"); err != nil || len(addrs) != 1 {
		t.Errorf("got %v, %v", addrs, err)
	}
}

// TestServerIsAskedAgainAfterALoss: a server that loses a question is asked again as often as resolv.conf
// says.
func TestServerIsAskedAgainAfterALoss(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buffer, seen := make([]byte, 512), map[dnsmessage.Type]int{}
		for {
			size, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:size]) == nil {
				seen[m.Questions[0].Type]++
			}
			if seen[m.Questions[0].Type] > 2 {
				_, _ = server.WriteTo(answer(buffer[:size], map[string]string{"algo-1.": "10.0.0.1"}, true), from)
			}
		}
	}()
	addr := server.LocalAddr().(*net.UDPAddr).AddrPort()
	n := &NameServers{Servers: []netip.AddrPort{addr}, NDots: 1, Timeout: 50 * time.Millisecond, Attempts: 2}
	if got := look(t, n, "algo-1"); got != "name server 127.0.0.1 does not answer" {
		t.Errorf("in two attempts: %s", got)
	}
	n.Timeout = time.Second
	if got := look(t, n, "algo-1"); got != "[10.0.0.1]" {
		t.Errorf("in the third: %s", got)
	}
}
