package report

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/channel"
	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hostwait"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
	"entrain/source"
)

// TestOnlySuccessEndsWithZero checks that no error ends with 0, even if it lacks its code.
func TestOnlySuccessEndsWithZero(t *testing.T) {
	errs := []error{
		&plan.LauncherError{}, &LaunchError{},
		&LaunchError{First: &rendezvous.PeerError{}, Exit: &proc.ExitError{}},
		&plan.UsageError{Err: errors.New("x")}, &output.Error{Err: errors.New("x")},
		&proc.ExitError{}, &proc.StartError{}, &proc.SignalError{},
		&proc.ExitError{Exit: proc.Exit{Code: 256}}, &proc.ExitError{Exit: proc.Exit{Code: -1}},
		&rendezvous.PeerError{}, &rendezvous.StopError{}, &rendezvous.OverError{}, &rendezvous.RefusedError{},
		&rendezvous.ListenError{}, &remote.LostError{}, &hostwait.UnavailableError{},
		&channel.UnavailableError{}, &channel.ManifestError{}, &recordio.FormatError{},
		&source.ArchiveError{}, &source.WriteError{}, &InstallError{Exit: &proc.ExitError{}},
		&contract.InvalidError{},
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

// TestExitCodeIsThatOfFirstFailure checks the errors that hold the code of another process or host.
func TestExitCodeIsThatOfFirstFailure(t *testing.T) {
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

// TestEachKindOfErrorHasItsCode also checks errors that are wrapped or joined.
func TestEachKindOfErrorHasItsCode(t *testing.T) {
	for want, err := range map[int]error{
		0:   nil,
		7:   &proc.ExitError{Exit: proc.Exit{Code: 7}},
		64:  &plan.UsageError{Err: errors.New("x")},
		65:  &contract.InvalidError{},
		69:  fmt.Errorf("waiting: %w", &hostwait.UnavailableError{}),
		70:  errors.New("x"),
		73:  &output.Error{Err: errors.New("x")},
		126: errors.Join(&proc.StartError{Code: 126, Err: errors.New("x")}, &output.Error{Err: errors.New("x")}),
		143: &proc.SignalError{Signal: 15},
	} {
		if got := ExitCode(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}
