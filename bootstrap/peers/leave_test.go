package peers

import (
	"errors"
	"testing"

	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// TestWorkerThatWasKilledEndsAsItsLauncher: all hosts end with one code, also where a worker whose ranks were
// killed at the end of the grace hears too late that the launcher has ended.
func TestWorkerThatWasKilledEndsAsItsLauncher(t *testing.T) {
	killed := &proc.ExitError{Program: "the ranks", Exit: proc.Exit{Code: 137, Killed: true}}
	failed := &proc.ExitError{Program: "the ranks", Exit: proc.Exit{Code: 3}}
	over := func(code int) error { return &rendezvous.OverError{Code: code} }
	for _, c := range []struct {
		name       string
		err, cause error
		want       int
	}{
		{"the launcher has failed", killed, over(1), 1},
		{"the launcher has ended with 0", killed, over(0), 137},
		{"nothing is known of the launcher", killed, nil, 137},
		{"a rank has failed by itself", failed, over(1), 3},
		{"another error", errors.New("no disk"), over(1), report.ExitCode(errors.New("no disk"))},
	} {
		if got := report.ExitCode(AfterOver(c.err, c.cause)); got != c.want {
			t.Errorf("%s: %d, expected %d", c.name, got, c.want)
		}
	}
}
