package hostwait

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// NameServers asks only the name servers of a resolv.conf(5). The resolver of the standard library cannot
// do that, because it always reads the hosts file too.
type NameServers struct {
	Servers  []netip.AddrPort
	Search   []string      // the domains that are appended to a short name
	NDots    int           // a name with at least so many dots is first tried without a domain
	Timeout  time.Duration // for one question to one server
	Attempts int           // questions to each server in one lookup; 0 means 1
}

// The limits of the C library (resolv.h and resolv.conf(5)). The trainer's lookups ignore entries beyond
// these limits, so this package ignores them too.
const (
	maxServers     = 3
	maxDomains     = 6
	maxSearchChars = 256 // all domains and the blanks between them
	maxNDots       = 15
	maxAttempts    = 5
)

// ReadResolvConf reads a file in the format of resolv.conf(5), usually /etc/resolv.conf. It returns an
// error where the file cannot be read or names no server.
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

// parseResolvConf parses a resolv.conf(5). Like the C library, it skips entries that it cannot read.
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
			n.setOptions(fields[1:])
		}
	}
	return n
}

// firstDomains returns the domains that the C library takes. It takes whole domains, from the first on, up
// to its limits.
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

func (n *NameServers) setOptions(words []string) {
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
