package bootstrap

import (
	"errors"
	"testing"

	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// TestBecauseOfADaemon: where this host knows why a daemon did not start, that stands before what the launcher says of it:
// Open MPI only knows that some daemon is missing. Else the launcher knows more.
func TestBecauseOfADaemon(t *testing.T) {
	exit := &proc.ExitError{Program: "mpirun", Exit: proc.Exit{Code: 213}}
	for what, c := range map[string]struct {
		code   int
		err    error
		script bool
		ranks  bool
		want   string // of the LaunchError; empty where the launcher's word counts
	}{
		"not found":       {126, errors.New("prted: not found in PATH"), false, false, "algo-2: prted: not found in PATH"},
		"ended by itself": {1, nil, false, false, ""},
		"of a script":     {126, errors.New("prted: not found in PATH"), true, false, ""},
		"ranks had begun": {126, errors.New("prted: not found in PATH"), false, true, ""},
	} {
		d := &Doer{}
		launch := &Launch{Host: "algo-1", Script: c.script}
		launch.Hosts = []mpi.Host{{Name: "algo-1", Slots: 1}, {Name: "algo-2", Slots: 1}}
		l := d.newLaunching(&Plan{Launch: launch})
		if c.ranks {
			l.ranks = []*remote.RankConn{nil}
		}
		l.finish() // the launcher ends at once
		l.went("algo-2", c.code, c.err)
		l.work.Wait()
		err := l.because(exit)
		told, ok := errors.AsType[*LaunchError](err)
		switch {
		case !ok && c.want == "" && ExitCode(err) == 213:
		case ok && told.Error() == c.want && ExitCode(err) == 213:
		default:
			t.Errorf("%s: %v, code %d, expected %q", what, err, ExitCode(err), c.want)
		}
	}
}
