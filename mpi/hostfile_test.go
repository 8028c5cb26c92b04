package mpi

import (
	"strings"
	"testing"
)

func TestHostfileHasTheDialectOfItsFormat(t *testing.T) {
	hosts := []Host{{"algo-1", 8}, {"algo-10", 1}, {"h.b_c", 4}}
	for format, want := range map[Format]string{
		OpenMPI:   "algo-1 slots=8\nalgo-10 slots=1\nh.b_c slots=4\n",
		DeepSpeed: "algo-1 slots=8\nalgo-10 slots=1\nh.b_c slots=4\n",
		MPICH:     "algo-1:8\nalgo-10:1\nh.b_c:4\n",
		Intel:     "algo-1:8\nalgo-10:1\nh.b_c:4\n",
		Horovod:   "algo-1:8,algo-10:1,h.b_c:4\n",
		Plain:     "algo-1\nalgo-10\nh.b_c\n",
		LightGBM:  "algo-1 12400\nalgo-10 12400\nh.b_c 12400\n",
	} {
		if got, err := Hostfile(format, hosts); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", format, got, err, want)
		}
	}
	if got, err := Hostfile(OpenMPI, []Host{{"localhost", 1}}); err != nil || got != "localhost slots=1\n" {
		t.Errorf("one host: %q, %v", got, err)
	}
	if len(Formats()) != 7 {
		t.Errorf("formats: %v", Formats())
	}
}

// TestHostfileRefusesBadHosts: launchers stop at such hosts, or misread them.
func TestHostfileRefusesBadHosts(t *testing.T) {
	for want, hosts := range map[string][]Host{
		`host "a" is in the hostfile twice`:              {{"a", 1}, {"a", 1}},
		`host "a:1": no hostfile can hold this name`:     {{"a:1", 1}},
		`host "": no hostfile can hold this name`:        {{"", 1}},
		`host "a\r": no hostfile can hold this name`:     {{"a\r", 1}},
		`host "a": 0 slots, expected at least 1`:         {{"a", 0}},
		`a hostfile needs at least one host`:             nil,
		`hostfile format "x": expected openmpi, mpich, `: {{"a", 1}},
	} {
		format := OpenMPI
		if strings.Contains(want, "format") {
			format = "x"
		}
		if _, err := Hostfile(format, hosts); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
