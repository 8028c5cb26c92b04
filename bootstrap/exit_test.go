package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"entrain/channel"
	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// TestNoErrorEndsWithZero: whatever an error leaves out, it is no success.
func TestNoErrorEndsWithZero(t *testing.T) {
	errs := []error{
		&LaunchError{}, &LaunchError{First: &rendezvous.PeerError{}, Exit: &proc.ExitError{}},
		&UsageError{Err: errors.New("x")}, &OutputError{Err: errors.New("x")},
		&proc.ExitError{}, &proc.StartError{}, &proc.SignalError{},
		&proc.ExitError{Exit: proc.Exit{Code: 256}}, &proc.ExitError{Exit: proc.Exit{Code: -1}},
		&rendezvous.PeerError{}, &rendezvous.StopError{}, &rendezvous.OverError{}, &rendezvous.RefusedError{},
		&rendezvous.ListenError{}, &remote.LostError{}, &hostwait.UnavailableError{},
		&channel.UnavailableError{}, &channel.ManifestError{}, &recordio.FormatError{}, &contract.InvalidError{},
		context.Canceled, context.DeadlineExceeded, errors.New("x"), errors.Join(nil, errors.New("x")),
	}
	for _, err := range errs {
		for _, err := range []error{err, fmt.Errorf("somewhere: %w", err), errors.Join(errors.New("y"), err)} {
			if code := ExitCode(err); code < 1 || code > 255 {
				t.Errorf("%T %+v ends with %d, expected 1 to 255", err, err, code)
			}
		}
	}
	if code := ExitCode(nil); code != 0 {
		t.Errorf("no error ends with %d", code)
	}
}

func TestCodeOf(t *testing.T) {
	peer := func(code int) *rendezvous.PeerError { return &rendezvous.PeerError{Host: "algo-2", Code: code} }
	exit := func(code int) *proc.ExitError { return &proc.ExitError{Exit: proc.Exit{Code: code}} }
	for _, c := range []struct {
		err  error
		code int
	}{
		{&LaunchError{First: peer(3), Exit: exit(1)}, 3},
		{&LaunchError{First: peer(0), Exit: exit(9)}, 9},
		{&LaunchError{First: peer(0), Exit: exit(0)}, CodeInternal},
		{peer(0), CodeInternal},
		{exit(0), CodeInternal},
		{&rendezvous.OverError{}, CodeInternal},
		{&rendezvous.OverError{Code: 7}, 7},
		{&proc.SignalError{Signal: syscall.SIGINT}, 130},
		{&remote.LostError{}, CodeUnavailable},
	} {
		if got := ExitCode(c.err); got != c.code {
			t.Errorf("%T %+v ends with %d, expected %d", c.err, c.err, got, c.code)
		}
	}
}

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
