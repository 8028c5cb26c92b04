package mpi

import (
	"strconv"
	"strings"
)

// Upstream gives the addresses of the launcher, each as HOST:PORT. A daemon that has started connects to one
// of them; if it cannot, the launch hangs. HOST is an IP address or a name. The result is empty where the
// daemon's arguments do not tell.
//
// The arguments are --control-port HOST:PORT of Hydra, and the parameters orte_hnp_uri of Open MPI 4 and
// prte_hnp_uri of Open MPI 5. The value of a parameter is an ID and the addresses, such as
// "1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401". Open MPI 5 puts the lengths of the
// networks' prefixes after the port, as in "tcp://10.0.0.1,172.17.0.1:52091:24,16".
func (d Daemon) Upstream() []string {
	var all []string
	for i, word := range d.Argv[:max(0, len(d.Argv)-1)] {
		switch value := d.Argv[i+1]; word {
		case "--control-port":
			if colon := strings.LastIndexByte(value, ':'); colon >= 0 {
				all = appendAddress(all, value[:colon], value[colon+1:])
			}
		case "orte_hnp_uri", "prte_hnp_uri":
			for part := range strings.SplitSeq(value, ";") {
				all = appendAddressesOfURI(all, part)
			}
		}
	}
	return all
}

// appendAddressesOfURI adds the addresses of SCHEME://HOST,HOST:PORT. It ignores any other text.
func appendAddressesOfURI(all []string, text string) []string {
	_, rest, ok := strings.Cut(text, "://")
	if !ok {
		return all
	}
	hosts, ports, ok := strings.Cut(rest, ":")
	if strings.HasPrefix(rest, "[") { // IPv6 addresses hold colons
		hosts, ports, ok = strings.Cut(rest, "]:")
	}
	if !ok {
		return all
	}
	port, _, _ := strings.Cut(ports, ":")
	for host := range strings.SplitSeq(hosts, ",") {
		all = appendAddress(all, host, port)
	}
	return all
}

// appendAddress adds HOST:PORT, with brackets around an IPv6 address, unless no program can connect to it.
func appendAddress(all []string, host, port string) []string {
	host = strings.Trim(host, "[]")
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return all
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return append(all, host+":"+port)
}
