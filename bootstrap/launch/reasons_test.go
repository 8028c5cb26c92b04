package launch

import (
	"errors"
	"testing"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

// TestFailureOfLauncherNamesCauseThatThisHostKnows: the code and the text of the first failure stand before
// the launcher's, where this host knows them and no other host knows more.
func TestFailureOfLauncherNamesCauseThatThisHostKnows(t *testing.T) {
	rank := &rendezvous.PeerError{Host: "algo-1", Code: 3, Text: "rank 0: exit code 3"}
	daemon := &rendezvous.PeerError{Host: "algo-2", Code: 126, Text: "prted: not found in PATH"}
	late := &rendezvous.PeerError{Host: "algo-2", Code: 69, Text: "no rank has begun there"}
	rankFailed := reasons{rankFailure: rank, weight: endOfCause}
	notStarted := reasons{daemonFailure: daemon, startFailure: daemon.Text}
	for _, c := range []struct {
		what string
		know knowledge
		want string // the first line; empty where the launcher's own text counts
		code int
	}{
		{"nothing is known", knowledge{begun: true}, "", 9},
		{
			"the launch took too long, whatever else is known",
			knowledge{ending: true, alone: true, reasons: reasons{launchFailure: late, rankFailure: rank}},
			"algo-2: no rank has begun there", 69,
		},
		{
			"a rank of the only host failed",
			knowledge{begun: true, alone: true, reasons: rankFailed},
			"algo-1: rank 0: exit code 3", 3,
		},
		{"of several hosts the rendezvous knows", knowledge{begun: true, reasons: rankFailed}, "", 9},
		{
			"a script's ranks count",
			knowledge{begun: true, script: true, reasons: rankFailed},
			"algo-1: rank 0: exit code 3", 3,
		},
		{
			"the launcher has ended the rank",
			knowledge{begun: true, alone: true, reasons: reasons{rankFailure: rank, weight: endByLauncher}},
			"", 9,
		},
		{"stopped before any rank", knowledge{ending: true}, "algo-1: " + stoppedEarly, 143},
		{"failed before any rank, and not stopped", knowledge{ending: true, failedFirst: true}, "", 9},
		{
			"stopped, and a rank failed",
			knowledge{begun: true, ending: true, grace: time.Minute, reasons: rankFailed},
			"algo-1: rank 0: exit code 3", 9,
		},
		{
			"stopped, and the grace is used up",
			knowledge{begun: true, ending: true, grace: time.Minute, endingFor: 50 * time.Second},
			"algo-1: stopped by SIGTERM, and not all ranks had ended at the end of the grace of 1m0s", 9,
		},
		{"a daemon could not be started", knowledge{reasons: notStarted}, "algo-2: prted: not found in PATH", 9},
		{"a daemon ended by itself", knowledge{reasons: reasons{daemonFailure: daemon}}, "", 9},
		{"a daemon failed after ranks had begun", knowledge{begun: true, reasons: notStarted}, "", 9},
		{"a daemon of a script", knowledge{script: true, reasons: notStarted}, "", 9},
	} {
		c.know.host = "algo-1"
		err := c.know.afterFailure(&proc.ExitError{Program: "mpirun", Exit: proc.Exit{Code: 9}})
		told, named := errors.AsType[*report.LaunchError](err)
		if named != (c.want != "") || named && told.Error() != c.want || report.ExitCode(err) != c.code {
			t.Errorf("%s: %v with code %d, expected %q with %d", c.what, err, report.ExitCode(err), c.want, c.code)
		}
	}
}

// TestZeroOfLauncherAloneIsNoSuccess: the job succeeds only if the daemons and the ranks have ended well too.
func TestZeroOfLauncherAloneIsNoSuccess(t *testing.T) {
	rank := &rendezvous.PeerError{Host: "algo-1", Code: 3, Text: "rank 0: exit code 3"}
	lost := &rendezvous.PeerError{Host: "algo-2", Code: 69, Text: "lost: it is gone"}
	for _, c := range []struct {
		what string
		know knowledge
		want string // empty for a success
		code int
	}{
		{"all is well", knowledge{begun: true}, "", 0},
		{
			"the launch took too long",
			knowledge{begun: true, reasons: reasons{launchFailure: lost}},
			"algo-2: lost: it is gone", 69,
		},
		{"no rank has begun", knowledge{}, "algo-1: " + noRankBegun, 1},
		{"ranks are at work", knowledge{begun: true, activeRanks: 1}, "algo-1: " + ranksAtWork, 1},
		{
			"a rank failed",
			knowledge{begun: true, reasons: reasons{rankFailure: rank}},
			"algo-1: rank 0: exit code 3", 3,
		},
		{
			"a host was lost",
			knowledge{begun: true, reasons: reasons{daemonFailure: lost, rankFailure: rank}},
			"algo-2: lost: it is gone", 69,
		},
		{"stopped before any rank", knowledge{ending: true}, "algo-1: " + stoppedEarly, 143},
		{
			"stopped, and all have saved",
			knowledge{begun: true, ending: true, activeRanks: 1, reasons: reasons{rankFailure: rank}},
			"", 0,
		},
		{
			"a script knows best",
			knowledge{script: true, activeRanks: 1, reasons: reasons{daemonFailure: lost, rankFailure: rank}},
			"", 0,
		},
	} {
		c.know.host = "algo-1"
		failure := c.know.afterSuccess()
		switch {
		case failure == nil && c.want == "":
		case failure != nil && failure.Error() == c.want && report.ExitCode(failure) == c.code:
		default:
			t.Errorf("%s: %v, expected %q with code %d", c.what, failure, c.want, c.code)
		}
	}
}

// TestReasonOfDaemonThatDidNotStartComesFirst: Open MPI only knows that some daemon is missing. Of a daemon
// that started and ended by itself the launcher knows more.
func TestReasonOfDaemonThatDidNotStartComesFirst(t *testing.T) {
	for what, c := range map[string]struct {
		code int
		err  error
		want string // the text of the LaunchError; empty where the launcher's own text counts
	}{
		"not found":       {126, errors.New("prted: not found in PATH"), "algo-2: prted: not found in PATH"},
		"ended by itself": {1, nil, ""},
	} {
		launch := &plan.Launch{Host: "algo-1"}
		launch.Hosts = []mpi.Host{{Name: "algo-1", Slots: 1}, {Name: "algo-2", Slots: 1}}
		effects := Effects{OOMKills: func() int { return 0 }, SetDeadline: func(_, _ time.Duration) {}}
		h := newHost(&plan.Plan{Launch: launch}, events.Log{}, effects)
		h.setOver() // the launcher ends at once
		h.daemonFailed("algo-2", c.code, c.err)
		<-h.work.Idle()
		launcher := &proc.ExitError{Program: "mpirun", Exit: proc.Exit{Code: 213}}
		err := h.knowledge(h.hasBegun()).afterFailure(launcher)
		told, named := errors.AsType[*report.LaunchError](err)
		if named != (c.want != "") || named && told.Error() != c.want || report.ExitCode(err) != 213 {
			t.Errorf("%s: %v, code %d, expected %q", what, err, report.ExitCode(err), c.want)
		}
	}
}
