package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"entrain/hostwait"
)

// TestHostWithoutItsInterfaceListensEverywhere: a host whose interface is missing listens at all addresses
// of the machine, which may have IPv6 or not. So it must not name an address of either kind.
func TestHostWithoutItsInterfaceListensEverywhere(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	n.change = func(c *Config) {
		c.Interface = "eth77"
		c.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	}
	c := n.config(0)
	l, err := c.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", n.port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if at := locate(t.Context(), &c).listenAt(); at.IsValid() {
		t.Errorf("it asks for %s, which a machine may not have", at)
	}
}

// TestDoubtsNameWhatIsWrong: Doubts says what is wrong with the name and the interface of a host, which
// then listens at the best address.
func TestDoubtsNameWhatIsWrong(t *testing.T) {
	at := func(addr string) hostwait.Lookup {
		return func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(addr)}, nil
		}
	}
	for what, c := range map[string]struct {
		network string
		lookup  hostwait.Lookup
		want    string
		listen  string
	}{
		"fine": {"lo", at("127.0.0.1"), "", "127.0.0.1"},
		"elsewhere": {
			"lo", at("192.0.2.7"),
			"h0 is this host's name, but it resolves to [192.0.2.7], and this host has [", "127.0.0.1",
		},
		"no interface": {
			"eth77", at("127.0.0.1"),
			"this host has no interface eth77, which network_interface_name names (it has lo", "127.0.0.1",
		},
		"neither": {"eth77", at("192.0.2.7"), "this host has no interface eth77", "invalid IP"},
	} {
		config := newNetwork(t, 1).config(0)
		config.Interface, config.Lookup = c.network, c.lookup
		l := locate(t.Context(), &config)
		doubts := strings.Join(l.doubts(&config), "\n")
		if !strings.HasPrefix(doubts, c.want) || (c.want == "") != (doubts == "") {
			t.Errorf("%s: %q, want %q", what, doubts, c.want)
		}
		if at := l.listenAt().String(); at != c.listen {
			t.Errorf("%s: listens at %s, want %s", what, at, c.listen)
		}
	}
}
