package remote

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestReachOfRealConnections: a connection that stands is found, by IPv4 and IPv6, and no other.
func TestReachOfRealConnections(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err)
			continue // no IPv6
		}
		addr := netip.MustParseAddrPort(listener.Addr().String())
		wanted := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:9"), addr}
		if reach, _ := ReachOf(wanted); reach != ReachUntried {
			t.Errorf("%s: %d before the connection, expected %d", addr, reach, ReachUntried)
		}
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		if reach, at := ReachOf(wanted); reach != ReachConnected || at != addr {
			t.Errorf("%s: %d to %s, expected %d", addr, reach, at, ReachConnected)
		}
		_ = conn.Close()
		_ = listener.Close()
	}
}

// TestReachInTable: the states and addresses of a table of sockets.
func TestReachInTable(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 02004D0A:1E6F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 02004D0A:8560 01004D0A:B721 02 00000001:00000000 01:00000AF4 00000009     0
   2: 02004D0A:EA0C 01004D0A:1E6F 01 00000000:00000000 02:0000016F 00000000     0
   3: 0000000000000000FFFF000002004D0A:EA0C 0000000000000000FFFF000001004D0A:0051 01 0
   4: nonsense
   5: 02004D0A:EA0C 01004D0A:1E6F
   6: 02004D0A:EA0C 01004D0:1E6F 01
   7: 02004D0A:EA0C 0100ZZ0A:1E6F 01
   8: 02004D0A:EA0C 01004D0A:1E6F1 01
`
	for addrs, want := range map[string]Reach{
		"10.77.0.1:46881":                ReachPending,
		"10.77.0.1:46881 10.77.0.1:7791": ReachConnected,
		"10.77.0.1:7791":                 ReachConnected,
		"10.77.0.1:81":                   ReachConnected, // an IPv4 address in the table of IPv6
		"10.77.0.2:7791 10.77.0.1:80":    ReachUntried,
		"0.0.0.0:0":                      ReachUntried, // a socket that listens
		"":                               ReachUntried,
	} {
		var list []netip.AddrPort
		for text := range strings.FieldsSeq(addrs) {
			list = append(list, netip.MustParseAddrPort(text))
		}
		if got, _ := reachIn(strings.NewReader(table), list); got != want {
			t.Errorf("%q: %d, expected %d", addrs, got, want)
		}
	}
}
