package launch

import (
	"fmt"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// reasons are what a host has learned so far of why the job fails.
type reasons struct {
	lost        *rendezvous.PeerError // the first session that ended badly
	lostAt      time.Time             // when it did
	startFailed string                // why that session had no daemon; empty where its daemon ended by itself
	failed      *rendezvous.PeerError // the rank of this host whose end says most
	weight      weight                // how much that end says
	tellOrphan  func()                // tells that a launcher's agent was killed; nil while none was
}

// weight is how much a rank's end says about why the job failed.
type weight int

// The weights, the least first.
const (
	endOfSuccess     weight = iota
	endByLauncher           // the launcher has ended the rank
	endOfConsequence        // the rank ended because of another one
	endOfCause              // the rank ended by itself
)

func weigh(e rendezvous.End, own bool) weight {
	switch {
	case e.Code == 0:
		return endOfSuccess
	case !own:
		return endByLauncher
	case e.Follows:
		return endOfConsequence
	}
	return endOfCause
}

// knowledge is what the leader knows when its launcher has ended. Its methods are pure.
type knowledge struct {
	reasons
	host       string        // this one
	script     bool          // the launcher is a script
	alone      bool          // there is no other host
	begun      bool          // a rank has begun, on any host
	active     int           // ranks of this host that are at work
	ending     bool          // the launch was stopped, or has failed
	stoppedFor time.Duration // how long ago that was
	grace      time.Duration
}

// Texts that stand for a launcher's own.
const (
	stoppedEarly = "stopped by SIGTERM before any rank had begun"
	noRankBegun  = "the launcher ended with exit code 0, but no rank has begun"
	ranksAtWork  = "the launcher ended with exit code 0 while ranks were at work here"
)

// codeFailed is what a job ends with that failed although its launcher says 0.
const codeFailed = 1

// abandoned is what a job ends with whose launcher ended with 0 before its ranks had.
func abandoned(host string) *rendezvous.PeerError {
	return &rendezvous.PeerError{Host: host, Code: codeFailed, Text: ranksAtWork}
}

// afterFailure gives a launcher's failure its reason where this host knows it. Of several hosts the rendezvous knows it.
func (k knowledge) afterFailure(exit *proc.ExitError) error {
	first := rendezvous.PeerError{Host: k.host, Code: exit.Code}
	switch {
	case k.ending && !k.begun && !k.script:
		first.Code, first.Text = report.CodeStopped, stoppedEarly
	case k.ending && k.stoppedFor > k.grace*3/4:
		first.Text = fmt.Sprintf(
			"stopped by SIGTERM, and not all ranks had ended at the end of the grace of %s", k.grace)
	case !k.ending && !k.begun && !k.script && k.startFailed != "": // the launcher only knows that a daemon is missing
		first.Host, first.Text = k.lost.Host, k.startFailed
	case k.failed == nil, !k.ending && (k.weight <= endByLauncher || !k.alone && !k.script):
		return exit // the launcher knows more, or the other hosts do
	case k.ending: // every host ends with the launcher's code then
		first.Text = k.failed.Text
	default:
		first = *k.failed
	}
	return &report.LaunchError{First: &first, Exit: exit}
}

// afterSuccess says whether a launcher that ended with 0 has done its work: all sessions and the ranks of this host have
// ended well. A stop before any rank has begun leaves no work that can be done well. After a later stop only the launcher's
// word counts, and a script knows best what it has made of its ranks.
func (k knowledge) afterSuccess() *rendezvous.PeerError {
	switch {
	case k.script:
		return nil
	case k.ending && !k.begun:
		return &rendezvous.PeerError{Host: k.host, Code: report.CodeStopped, Text: stoppedEarly}
	case k.lost != nil:
		return k.lost
	case !k.begun:
		return &rendezvous.PeerError{Host: k.host, Code: codeFailed, Text: noRankBegun}
	case k.ending:
		return nil
	case k.active > 0:
		return abandoned(k.host)
	}
	return k.failed
}

// namesOf are the hosts that train together.
func namesOf(l *plan.Launch) []string {
	names := make([]string, len(l.Hosts))
	for i, h := range l.Hosts {
		names[i] = h.Name
	}
	return names
}
