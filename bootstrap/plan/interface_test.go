package plan

import (
	"strings"
	"testing"
)

// TestInterfaceThatDoesNotExist: an interface that the file names and the host lacks is a warning, and an
// error for a host on which MPI starts ranks.
func TestInterfaceThatDoesNotExist(t *testing.T) {
	const named = `{"current_host":"algo-1","hosts":["algo-1","algo-2"],` + "\n" +
		`"network_interface_name":"eth7"}`
	const text = `resourceconfig.json:2:26: network_interface_name is "eth7", ` +
		"but this host has only the interfaces lo, eth1"
	for _, c := range []struct {
		resource, launcher string
		interfaces         []string
		want               string
	}{
		{named, LauncherNone, []string{"lo", "eth1"}, "warning: " + text},
		{named, LauncherMPI, []string{"lo", "eth1"}, "error: " + text},
		{named, LauncherMPI, []string{"lo", "eth7"}, ""},
		{named, LauncherMPI, nil, ""}, // they are unknown
		{two, LauncherMPI, []string{"lo", "eth1"}, ""},
	} {
		in := photographJob(t, "{}", c.resource)
		in.Snapshot.Interfaces = c.interfaces
		o := Defaults()
		o.Launcher = c.launcher
		got := ""
		for _, p := range CheckInterface(in.Job, in.Snapshot, o) {
			got += map[bool]string{true: "warning: ", false: "error: "}[p.Warning] + p.String()
		}
		if got != c.want {
			t.Errorf("%s under %s: %q, want %q", c.resource, c.launcher, got, c.want)
		}
	}
}

// TestInterfacesAreAskedForOnlyWhereTheyMatter: only what starts a trainer on one of several hosts needs
// them.
func TestInterfacesAreAskedForOnlyWhereTheyMatter(t *testing.T) {
	for _, scope := range []Scope{ScopeContract, ScopeTrainer, ScopeLaunch} {
		for _, resource := range []string{alone, two} {
			in := photographJob(t, "{}", resource)
			want := scope == ScopeLaunch && strings.Contains(resource, "algo-2")
			if got := Questions(in.Snapshot, Defaults(), scope).Interfaces; got != want {
				t.Errorf("scope %d, %s: %v", scope, resource, got)
			}
		}
	}
}
