package mpi

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpstreamIsTheAddressOfTheLauncher: the words are those that launchers give their daemons.
func TestUpstreamIsTheAddressOfTheLauncher(t *testing.T) {
	for _, c := range []struct {
		what string
		argv []string
		want []string
	}{
		{"no word", nil, nil},
		{"the daemon alone", []string{"orted"}, nil},
		{
			"MPICH 4.0.2",
			[]string{"hydra_pmi_proxy", "--control-port", "10.77.0.1:41239", "--usize", "-2"},
			[]string{"10.77.0.1:41239"},
		},
		{"MPICH, by a name", []string{"hydra_pmi_proxy", "--control-port", "algo-1:1"}, []string{"algo-1:1"}},
		{
			"Open MPI 4.1.4",
			[]string{
				"orted", "-mca", "ess_base_vpid", "1", "-mca", "orte_hnp_uri",
				"1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401",
			},
			[]string{"10.0.0.1:52091", "172.17.0.1:52091", "[fd00::2]:60401"},
		},
		{
			"Open MPI 5, with the lengths of prefixes",
			[]string{
				"prted", "--prtemca", "prte_hnp_uri",
				"prterun-h-10@0.0;tcp://10.0.0.1,172.17.0.1:52091:24,16;tcp6://[fd00::2,fd00::3]:60401:64,64",
			},
			[]string{"10.0.0.1:52091", "172.17.0.1:52091", "[fd00::2]:60401", "[fd00::3]:60401"},
		},
		{"no value", []string{"orted", "-mca", "orte_hnp_uri"}, nil},
		{
			"what is no address",
			[]string{
				"orted", "--control-port", "algo-1", "--control-port", ":9", "--control-port", "h:0",
				"orte_hnp_uri", "x;tcp://;tcp://h;tcp://h:;tcp6://[::1;tcp://:5;tcp://h:65536;tcp://,:7",
			},
			nil,
		},
	} {
		if diff := cmp.Diff(c.want, Daemon{Argv: c.argv}.Upstream()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}
