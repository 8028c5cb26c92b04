package remote

import (
	"bufio"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Reach says how far the programs of this host have come with a TCP connection to an address.
type Reach int

// The values of Reach, the least first.
const (
	ReachUntried   Reach = iota // no program connects to it
	ReachPending                // a program has asked for a connection, and nobody has answered
	ReachConnected              // a connection stands
)

// The states of a socket in /proc/net/tcp: TCP_ESTABLISHED and TCP_SYN_SENT of Linux.
const (
	stateEstablished = "01"
	stateSynSent     = "02"
)

// ReachOf looks how far the programs of this host have come with connections to addresses. It returns the
// most for any of them, and the address. It reads the kernel's table of sockets and sends nothing: Hydra
// would end the launch if somebody connected to it and went away again.
func ReachOf(addrs []netip.AddrPort) (most Reach, at netip.AddrPort) {
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		file, err := os.Open(name)
		if err != nil {
			continue // the host has no IPv6, or no /proc
		}
		if reach, addr := reachIn(file, addrs); reach > most {
			most, at = reach, addr
		}
		_ = file.Close()
	}
	return most, at
}

// reachIn is ReachOf for one table of sockets. The columns of the table are a number, the local address, the
// remote address and the state; the others do not matter (proc_net_tcp in the kernel's documentation).
func reachIn(table io.Reader, addrs []netip.AddrPort) (most Reach, at netip.AddrPort) {
	for lines := bufio.NewScanner(table); lines.Scan(); {
		columns := strings.Fields(lines.Text())
		if len(columns) < 4 {
			continue
		}
		reach := map[string]Reach{stateEstablished: ReachConnected, stateSynSent: ReachPending}[columns[3]]
		if reach <= most {
			continue
		}
		if addr, ok := parseSocketAddr(columns[2]); ok && slices.Contains(addrs, addr) {
			most, at = reach, addr
		}
	}
	return most, at
}

// parseSocketAddr reads an address such as 0100007F:1F90, which is 127.0.0.1:8080 on a little-endian machine.
// The kernel prints each 32 bits of the address as a number of this machine.
func parseSocketAddr(text string) (netip.AddrPort, bool) {
	address, portText, _ := strings.Cut(text, ":")
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil || len(address)%8 != 0 {
		return netip.AddrPort{}, false
	}
	var raw []byte
	for part := range slices.Chunk([]byte(address), 8) {
		n, err := strconv.ParseUint(string(part), 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		raw = binary.NativeEndian.AppendUint32(raw, uint32(n))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}
