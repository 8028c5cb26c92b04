package launch

import (
	"fmt"
	"time"

	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// reasons are the possible causes of the job's failure that a host has seen so far.
type reasons struct {
	daemonFailure  *rendezvous.PeerError // the first daemon that did not start, or did not end with 0
	daemonFailedAt time.Time             // when that was
	launchFailure  *rendezvous.PeerError // why the launch did not succeed; nil unless this host has told it
	startFailure   string                // why that daemon did not start; empty where it started
	rankFailure    *rendezvous.PeerError // the rank of this host whose end says most
	weight         weight                // how much that end says
	tellRshKilled  func()                // tells all hosts that an rsh was killed; nil unless one was
}

// weight is how much a rank's end says about why the job failed.
type weight int

// The weights, the smallest first.
const (
	endOfSuccess     weight = iota
	endByLauncher           // the launcher has ended the rank
	endOfConsequence        // the rank ended because another rank had ended
	endOfCause              // the rank ended by itself
)

func weigh(e rendezvous.End, byItself bool) weight {
	switch {
	case e.Code == 0:
		return endOfSuccess
	case !byItself:
		return endByLauncher
	case e.Follows:
		return endOfConsequence
	}
	return endOfCause
}

// knowledge is what a host knows when its launcher has ended. Its methods are pure.
type knowledge struct {
	reasons
	verdict *verdict // what the launcher says of a rank that has aborted; nil for nothing

	host   string // this host
	script bool   // the launcher is a script
	alone  bool   // there is no other host
	begun  bool   // a rank has begun, on any host
	// activeRanks counts the ranks of this host that are at work.
	activeRanks int
	ending      bool          // the launch was stopped, or has failed
	failedFirst bool          // it has failed before anybody stopped it
	endingFor   time.Duration // how long ago that was
	grace       time.Duration // from a stop to SIGKILL
}

// Texts of failures that a launcher itself does not tell.
const (
	stoppedEarly = "stopped by SIGTERM before any rank had begun"
	noRankBegun  = "the launcher ended with exit code 0, but no rank has begun"
	ranksAtWork  = "the launcher ended with exit code 0 while ranks were at work here"
)

// abandoned is the error of a launcher that ended with 0 before its ranks had ended.
func abandoned(host string) *rendezvous.PeerError {
	return &rendezvous.PeerError{Host: host, Code: codeFailed, Text: ranksAtWork}
}

// afterFailure returns the error of a launcher that failed. It is a *report.LaunchError where this host knows
// the cause. Of several hosts the rendezvous knows the cause.
func (k knowledge) afterFailure(exit *proc.ExitError) error {
	first := rendezvous.PeerError{Host: k.host, Code: exit.Code}
	switch {
	case k.launchFailure != nil: // the launcher ended because of it
		first = *k.launchFailure
	case k.ending && !k.failedFirst && !k.begun && !k.script:
		first.Code, first.Text = report.CodeStopped, stoppedEarly
	case k.ending && k.endingFor > lateInGrace(k.grace):
		first.Text = fmt.Sprintf(
			"stopped by SIGTERM, and not all ranks had ended at the end of the grace of %s", k.grace)
	case !k.ending && !k.begun && !k.script && k.startFailure != "":
		// The launcher only knows that a daemon is missing.
		first.Host, first.Text = k.daemonFailure.Host, k.startFailure
	case k.rankFailure == nil, !k.ending && (k.weight <= endByLauncher || !k.alone && !k.script):
		return exit // the launcher or the other hosts know more
	case k.ending: // the exit code is the launcher's, as on every host
		first.Text = k.rankFailure.Text
	default:
		first = *k.rankFailure
	}
	return &report.LaunchError{First: &first, Exit: exit}
}

// afterSuccess returns nil where a launcher that ended with 0 has done its work: all daemons and all ranks of
// this host have ended with 0. A launch that was stopped before any rank had begun has not done its work.
// After a later stop only the launcher's exit code and the daemons count. Of a script only its exit code
// counts, since it knows best what its ranks are for.
func (k knowledge) afterSuccess() *rendezvous.PeerError {
	switch {
	case k.script:
		return nil
	case k.launchFailure != nil:
		return k.launchFailure
	case k.verdict != nil && !k.ending:
		return k.verdict.failure()
	case k.ending && !k.begun:
		return &rendezvous.PeerError{Host: k.host, Code: report.CodeStopped, Text: stoppedEarly}
	case k.daemonFailure != nil:
		return k.daemonFailure
	case !k.begun:
		return &rendezvous.PeerError{Host: k.host, Code: codeFailed, Text: noRankBegun}
	case k.ending:
		return nil
	case k.activeRanks > 0:
		return abandoned(k.host)
	}
	return k.rankFailure
}
