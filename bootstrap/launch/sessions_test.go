package launch

import (
	"errors"
	"testing"

	"entrain/mpi/remote"
)

// TestSessionEnd: a launch that went wrong on a host never says code 0 of it.
func TestSessionEnd(t *testing.T) {
	refused := errors.New("foo is none of this job's hosts")
	for _, c := range []struct {
		name string
		code int
		err  error
		end  int
		text string
	}{
		{"a host of no job", 0, refused, 69, "foo is none of this job's hosts"},
		{"with ssh's code", 255, refused, 69, "foo is none of this job's hosts"},
		{"a daemon that cannot be started", 126, errors.New("no such daemon"), 126, "no such daemon"},
		{"a lost host", 0, &remote.LostError{Host: "b", Why: "it is gone"}, 69, "lost: it is gone"},
		{"a daemon's own code", 7, nil, 7, "the launcher's daemon ended with exit code 7"},
	} {
		if f := sessionEnd(c.code, c.err); f.Code != c.end || f.Text != c.text {
			t.Errorf("%s: %d %q, expected %d %q", c.name, f.Code, f.Text, c.end, c.text)
		}
	}
}
