package peers

import (
	"net/netip"
	"testing"
)

// TestAddressOfAHost: the address is one that other hosts can use, in the network between the hosts.
func TestAddressOfAHost(t *testing.T) {
	link := []netip.Prefix{netip.MustParsePrefix("10.0.2.7/24"), netip.MustParsePrefix("fd00::7/64")}
	for _, c := range []struct {
		name  string
		own   bool
		found []string
		link  []netip.Prefix
		want  string
	}{
		{"another host", false, []string{"10.0.9.8"}, link, "10.0.9.8"},
		{"another host with two", false, []string{"10.0.9.8", "10.0.2.8"}, link, "10.0.2.8"},
		{"another host with IPv6 first", false, []string{"fd99::8", "10.0.9.8"}, link, "10.0.9.8"},
		{"another host with IPv6 alone", false, []string{"fd99::8"}, link, "fd99::8"},
		{"this host", true, []string{"10.0.9.7"}, link, "10.0.9.7"},
		{"this host, whose name is on loopback", true, []string{"127.0.1.1"}, link, "10.0.2.7"},
		{"this host, whose name does not resolve", true, nil, link, "10.0.2.7"},
		{"this host without the interface", true, []string{"127.0.1.1"}, nil, "127.0.1.1"},
		{"this host without anything", true, nil, nil, "127.0.0.1"},
	} {
		var found []netip.Addr
		for _, text := range c.found {
			found = append(found, netip.MustParseAddr(text))
		}
		if c.own {
			found = ownAddresses(found, c.link)
		}
		if got := bestAddress(found, c.link).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
