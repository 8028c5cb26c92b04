package hostwait

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// NameServers asks the name servers of a resolv.conf(5) and nothing else. The standard resolver cannot do that, because
// it always reads the hosts file too.
type NameServers struct {
	Servers  []netip.AddrPort
	Search   []string // domains to try a short name in
	NDots    int      // a name with that many dots is tried as it is first
	Timeout  time.Duration
	Attempts int // how often each server is asked in one lookup; 0 stands for once
}

// The limits of the C library (resolv.h, and resolv.conf(5)). What is beyond them does not count for the trainer, so it
// does not count here either.
const (
	maxServers     = 3
	maxDomains     = 6
	maxSearchChars = 256 // of all domains, with the blanks between them
	maxNDots       = 15
	maxAttempts    = 5
)

// ReadResolvConf reads the name servers of a file, usually /etc/resolv.conf.
func ReadResolvConf(path string) (*NameServers, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := parseResolvConf(string(text))
	if len(n.Servers) == 0 {
		return nil, fmt.Errorf("%s names no name server", path)
	}
	return n, nil
}

// parseResolvConf skips what it cannot read, as the C library does.
func parseResolvConf(text string) *NameServers {
	n := &NameServers{NDots: 1, Timeout: defaultQueryTime}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			if addr, err := netip.ParseAddr(fields[1]); err == nil && len(n.Servers) < maxServers {
				n.Servers = append(n.Servers, netip.AddrPortFrom(addr, 53))
			}
		case "domain":
			n.Search = firstDomains(fields[1:2])
		case "search":
			n.Search = firstDomains(fields[1:])
		case "options":
			n.options(fields[1:])
		}
	}
	return n
}

// firstDomains are as many of the domains, from the first on, as the C library takes. A domain is taken whole or not
// at all.
func firstDomains(domains []string) []string {
	chars := 0
	for i, domain := range domains {
		chars += len(domain)
		if i == maxDomains || chars+i > maxSearchChars {
			return domains[:i]
		}
	}
	return domains
}

func (n *NameServers) options(words []string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, ":")
		number, err := strconv.Atoi(value)
		switch {
		case err != nil || number < 0:
		case name == "ndots":
			n.NDots = min(number, maxNDots)
		case number == 0:
		case name == "timeout":
			n.Timeout = time.Duration(min(number, int(maxQueryTime/time.Second))) * time.Second
		case name == "attempts":
			n.Attempts = min(number, maxAttempts)
		}
	}
}
