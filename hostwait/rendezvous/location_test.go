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
	if at := locate(t.Context(), &c).listenAddrs(); len(at) > 0 {
		t.Errorf("it asks for %s, which a machine may not have", at)
	}
}

// TestDoubtsNameWhatIsWrong: Doubts says what is wrong with the name and the interface of a host, which
// then listens at all addresses that its interface has, and at those of its own that its name has.
func TestDoubtsNameWhatIsWrong(t *testing.T) {
	at := func(addr string) hostwait.Lookup {
		return func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(addr)}, nil
		}
	}
	lo := newNetwork(t, 1).config(0)
	onLo := fmt.Sprint(locate(t.Context(), &lo).ofInterface) // with ::1 where the machine has IPv6
	for what, c := range map[string]struct {
		network string
		lookup  hostwait.Lookup
		want    string
		listen  string
	}{
		"fine": {"lo", at("127.0.0.1"), "", onLo},
		"elsewhere": {
			"lo", at("192.0.2.7"),
			"h0 is this host's name, but it resolves to [192.0.2.7], and this host has [", onLo,
		},
		"no interface": {
			"eth77", at("127.0.0.1"),
			"this host has no interface eth77, which network_interface_name names (it has lo", "[127.0.0.1]",
		},
		"neither": {"eth77", at("192.0.2.7"), "this host has no interface eth77", "[]"},
	} {
		config := newNetwork(t, 1).config(0)
		config.Interface, config.Lookup = c.network, c.lookup
		l := locate(t.Context(), &config)
		doubts := strings.Join(l.doubts(&config), "\n")
		if !strings.HasPrefix(doubts, c.want) || (c.want == "") != (doubts == "") {
			t.Errorf("%s: %q, want %q", what, doubts, c.want)
		}
		if at := fmt.Sprint(l.listenAddrs()); at != c.listen {
			t.Errorf("%s: listens at %s, want %s", what, at, c.listen)
		}
	}
}

// TestHostListensAtSeveralAddresses: a listener at several addresses takes connections at each of them, and
// at no other. After Close it takes none.
func TestHostListensAtSeveralAddresses(t *testing.T) {
	defer goleak.VerifyNone(t)
	port := newNetwork(t, 1).port
	ctx := t.Context()
	l, err := listenAtAll(ctx, []netip.Addr{address(1), address(2), netip.MustParseAddr("192.0.2.7")}, port)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("127.1.0.1:%d and 127.1.0.2:%d", port, port); l.Addr().String() != want {
		t.Errorf("it listens at %s, want %s", l.Addr(), want)
	}
	for i, listens := range []bool{false, true, true, false} {
		conn, err := net.Dial("tcp", netip.AddrPortFrom(address(i), uint16(port)).String())
		if (err == nil) != listens {
			t.Errorf("at %s: %v", address(i), err)
		}
		if err != nil {
			continue
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if from, to := accepted.RemoteAddr().String(), conn.LocalAddr().String(); from != to {
			t.Errorf("accepted %s, want %s", from, to)
		}
		accepted.Close()
		conn.Close()
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := listenAtAll(ctx, []netip.Addr{netip.MustParseAddr("192.0.2.7")}, port); err == nil {
		t.Error("a host listens at an address that it does not have")
	}
}
