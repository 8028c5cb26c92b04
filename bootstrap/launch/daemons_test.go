package launch

import (
	"errors"
	"testing"

	"entrain/mpi/remote"
)

// TestFailureOfDaemonNeverHasExitCodeZero: it has the daemon's own code, or that of a lost host.
func TestFailureOfDaemonNeverHasExitCodeZero(t *testing.T) {
	refused := errors.New("foo is none of this job's hosts")
	for _, c := range []struct {
		name string
		code int
		err  error
		end  int
		text string
	}{
		{"a host that is not in the job", 0, refused, 69, "foo is none of this job's hosts"},
		{"the same with the exit code of ssh", 255, refused, 69, "foo is none of this job's hosts"},
		{"a daemon that cannot be started", 126, errors.New("no such daemon"), 126, "no such daemon"},
		{"a lost host", 0, &remote.LostError{Host: "b", Why: "it is gone"}, 69, "lost: it is gone"},
		{
			"a host that was never reached", 0,
			&remote.LostError{Host: "b", Why: "it refuses", Unreached: "10.0.0.2:7791", From: "a"}, 69,
			"cannot be reached at port 7791 of 10.0.0.2, to which its name leads on a: it refuses",
		},
		{"the exit code of a daemon", 7, nil, 7, "the launcher's daemon ended with exit code 7"},
	} {
		if f := daemonEnd(c.code, c.err); f.Code != c.end || f.Text != c.text {
			t.Errorf("%s: %d %q, expected %d %q", c.name, f.Code, f.Text, c.end, c.text)
		}
	}
}
