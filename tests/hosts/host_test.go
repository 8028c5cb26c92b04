package hosts

import (
	"os"
	"path/filepath"
	"strconv"
)

// write writes a file of a host.
func (h *host) write(name, text string) {
	h.lab.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644); err != nil {
		h.lab.t.Fatal(err)
	}
}

// read returns the text of a file of a host, or "" if the file does not exist.
func (h *host) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(h.dir, name))
	return string(data)
}

// port is the name of the end of a host's cable at the bridge.
func (h *host) port() string { return "port-" + h.name }

// cut takes a host off the network, and heal puts it back. Packets are lost without an error.
func (h *host) cut()  { must(h.lab.t, h.lab.bridge.in("ip", "link", "set", h.port(), "down")...) }
func (h *host) heal() { must(h.lab.t, h.lab.bridge.in("ip", "link", "set", h.port(), "up")...) }

// drop loses a part of the packets to a port of a host: 1 is all of them. allow ends that.
func (h *host) drop(port int, part float64) { //nolint:unparam // scenarios so far need this port
	h.filter("-A", port, part)
}
func (h *host) allow(port int, part float64) { h.filter("-D", port, part) }

// refuse answers connections to a port of a host with a reset.
func (h *host) refuse(port int) {
	must(h.lab.t, h.in("iptables", "-w", "-A", "INPUT", "-i", "eth0", "-p", "tcp", "--dport", strconv.Itoa(port),
		"-j", "REJECT", "--reject-with", "tcp-reset")...)
}

// admitOnly loses the packets by which other hosts begin a connection to a host, but for one port.
// refuseAllBut answers them with a reset.
func (h *host) admitOnly(port int) { h.filterOthers(port, "DROP") }

func (h *host) refuseAllBut(port int) { h.filterOthers(port, "REJECT", "--reject-with", "tcp-reset") }

// filterOthers does something with the packets that begin a connection to another port.
func (h *host) filterOthers(port int, do ...string) {
	argv := []string{
		"iptables", "-w", "-A", "INPUT", "-i", "eth0", "-p", "tcp", "--syn",
		"!", "--dport", strconv.Itoa(port), "-j",
	}
	must(h.lab.t, h.in(append(argv, do...)...)...)
}

// filter adds or deletes a rule of the packet filter.
func (h *host) filter(do string, port int, part float64) {
	match := []string{"--dport", strconv.Itoa(port)}
	if part < 1 {
		probability := strconv.FormatFloat(part, 'f', -1, 64)
		match = append(match, "-m", "statistic", "--mode", "random", "--probability", probability)
	}
	h.rule(do, match)
}

// rule adds or deletes a rule by which the packet filter drops the incoming TCP packets that match.
func (h *host) rule(do string, match []string) {
	argv := append([]string{"iptables", "-w", do, "INPUT", "-p", "tcp", "-j", "DROP"}, match...)
	must(h.lab.t, h.in(argv...)...)
}
