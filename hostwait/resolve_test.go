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

// TestHostsFile: it is read anew each time, and a different answer of the DNS is told.
func TestHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "127.0.0.1 localhost\n10.9.9.9  ALGO-1 x # algo-3\n10.0.0.2 algo-2\nbad algo-1\n")
	dns := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.2")}, nil
	}
	var told []string
	f := &HostsFile{Path: path, Compare: dns, Disagree: func(host string, file, dns []netip.Addr) {
		told = append(told, fmt.Sprintf("%s %v %v", host, file, dns))
	}}
	lookup := func(host string) string {
		addrs, err := f.Lookup(t.Context(), host)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(addrs)
	}
	for _, c := range [][2]string{{"algo-1", "[10.9.9.9]"}, {"algo-2", "[10.0.0.2]"}, {"algo-3", "no such host"}} {
		if got := lookup(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	if diff := cmp.Diff([]string{"algo-1 [10.9.9.9] [10.0.0.2]"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
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

// TestCompareIsPatient: a name server that does not answer must not hold back what the hosts file knows.
func TestCompareIsPatient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "10.9.9.9 algo-1\n")
	f := &HostsFile{Path: path, Disagree: func(string, []netip.Addr, []netip.Addr) { t.Error("nothing to tell") }}
	f.Compare = func(ctx context.Context, _ string) ([]netip.Addr, error) {
		<-ctx.Done() // ends, or this test does not
		return nil, ctx.Err()
	}
	if err := Lookup(f.Lookup).Probe(t.Context(), "algo-1"); err != nil {
		t.Error(err)
	}
}

// TestSystem looks up an address, which every system can, and localhost where the hosts file has it: a root without that
// file is none where a test waits for it.
func TestSystem(t *testing.T) {
	known := []string{"127.0.0.1"}
	if file, err := os.ReadFile("/etc/hosts"); err == nil && slices.Contains(strings.Fields(string(file)), "localhost") {
		known = append(known, "localhost")
	}
	for _, name := range known {
		if addrs, err := System(t.Context(), name); err != nil || len(addrs) == 0 {
			t.Errorf("%s: %v, %v", name, addrs, err)
		}
	}
	if _, err := System(t.Context(), "no-such-host.invalid"); err == nil || strings.Contains(err.Error(), "no-such-host.invalid") {
		t.Errorf("want an error that does not repeat the name, got %v", err)
	}
}
