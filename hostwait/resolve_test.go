package hostwait

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHostsFileIsReadAnewAndCompared: each lookup reads the file anew, and reports a different answer of
// the DNS.
func TestHostsFileIsReadAnewAndCompared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "127.0.0.1 localhost\n10.9.9.9  ALGO-1 x # algo-3\n10.0.0.2 algo-2\nbad algo-1\n")
	dns := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.2")}, nil
	}
	var disagreements []string
	f := &HostsFile{Path: path, Compare: dns, Disagree: func(host string, file, dns []netip.Addr) {
		disagreements = append(disagreements, fmt.Sprintf("%s %v %v", host, file, dns))
	}}
	lookup := func(host string) string {
		addrs, err := f.Lookup(t.Context(), host)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(addrs)
	}
	for _, c := range []struct{ host, want string }{
		{"algo-1", "[10.9.9.9]"}, {"algo-2", "[10.0.0.2]"}, {"algo-3", "no such host"},
	} {
		if got := lookup(c.host); got != c.want {
			t.Errorf("%s: %s, want %s", c.host, got, c.want)
		}
	}
	if diff := cmp.Diff([]string{"algo-1 [10.9.9.9] [10.0.0.2]"}, disagreements); diff != "" {
		t.Errorf("disagreements (-want +got):\n%s", diff)
	}
	write(t, path, "10.8.8.8 algo-3\n")
	if got := lookup("algo-3"); got != "[10.8.8.8]" {
		t.Errorf("a name that was added to the hosts file: %s", got)
	}
	f.Path += ".gone"
	if got := lookup("algo-3"); !strings.Contains(got, "no such file") {
		t.Errorf("without the file: %s", got)
	}
}

// TestSilentNameServerDoesNotDelayTheHostsFile: a comparison that does not end must not hold the address
// back.
func TestSilentNameServerDoesNotDelayTheHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "10.9.9.9 algo-1\n")
	f := &HostsFile{Path: path, Disagree: func(string, []netip.Addr, []netip.Addr) {
		t.Error("a disagreement is reported without an answer")
	}}
	f.Compare = func(ctx context.Context, _ string) ([]netip.Addr, error) {
		<-ctx.Done() // if the bound is missing, this test does not end
		return nil, ctx.Err()
	}
	if err := Lookup(f.Lookup).Probe(t.Context(), "algo-1"); err != nil {
		t.Error(err)
	}
}

// TestSystemFindsAddresses looks up an address, which every system can, and localhost where the hosts file
// has that name. Some test machines have no hosts file.
func TestSystemFindsAddresses(t *testing.T) {
	known := []string{"127.0.0.1"}
	file, err := os.ReadFile("/etc/hosts")
	if err == nil && slices.Contains(strings.Fields(string(file)), "localhost") {
		known = append(known, "localhost")
	}
	for _, name := range known {
		if addrs, err := System(t.Context(), name); err != nil || len(addrs) == 0 {
			t.Errorf("%s: %v, %v", name, addrs, err)
		}
	}
	_, err = System(t.Context(), "no-such-host.invalid")
	if err == nil || strings.Contains(err.Error(), "no-such-host.invalid") {
		t.Errorf("want an error that does not repeat the name, got %v", err)
	}
}
