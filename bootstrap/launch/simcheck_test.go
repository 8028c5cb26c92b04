package launch

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"entrain/bootstrap/report"
	"entrain/hostwait/rendezvous"
)

// check returns what is wrong with the end of a launch.
func (j *simJob) check() (wrong []string) {
	say := func(format string, words ...any) { wrong = append(wrong, fmt.Sprintf(format, words...)) }
	if j.late {
		say("not all hosts have ended within %s", simEnd)
		return wrong
	}
	j.checkRanks(say)
	j.checkEnds(say)
	j.checkReason(say)
	j.checkTimes(say)
	return wrong
}

// checkRanks checks that no rank is left, and that no rank is stopped in a job that ends well.
func (j *simJob) checkRanks(say func(string, ...any)) {
	for _, h := range j.hosts {
		for _, r := range h.ranks {
			if r.began && h.over && r.end.At.After(j.net.Start().Add(h.overAt)) {
				say("rank %d ended after its host", r.number)
			}
			if len(j.fates) == 0 && (r.stopped || r.killed) {
				say("rank %d was stopped or killed, and nothing has failed", r.number)
			}
		}
	}
}

// reason is the reason that a host gives for its failure.
func (h *simHost) reason() string {
	err := h.err
	if launch, ok := errors.AsType[*report.LaunchError](err); ok {
		return launch.First.Error()
	}
	if peer, ok := errors.AsType[*rendezvous.PeerError](err); ok {
		return peer.Error()
	}
	if err != nil {
		return h.name + ": " + report.Summary(err)
	}
	return ""
}

// checkEnds checks that all hosts end with one code and one reason, and with the right code.
func (j *simJob) checkEnds(say func(string, ...any)) {
	head := j.hosts[0]
	failed, stopped := j.whatHappened()
	for _, h := range j.hosts {
		code := report.ExitCode(h.err)
		switch {
		case h.machine.IsKilled():
			continue
		case !h.over:
			say("%s has not ended", h.name)
			continue
		case code == 0 && failed != "":
			say("%s ended with 0, and %s", h.name, failed)
		case code != 0 && len(j.fates) == 0:
			say("%s ended with %d (%v), and nothing has failed", h.name, code, h.err)
		}
		if head.machine.IsKilled() || h.isAway() || head.isAway() {
			continue
		}
		if want := report.ExitCode(head.err); code != want {
			say("%s ended with %d (%v), and the leader with %d (%v)", h.name, code, h.err, want, head.err)
		}
		if mine, theirs := h.reason(), head.reason(); !stopped && mine != theirs {
			say("%s says %q, and the leader %q", h.name, mine, theirs)
		}
	}
}

// isAway reports whether a host was cut off for longer than --peer-timeout.
func (h *simHost) isAway() bool {
	for _, c := range h.machine.Cuts {
		if c.To-c.From > h.job.timeout {
			return true
		}
	}
	return false
}

// checkReason checks that the leader names what went wrong, where it is one thing.
func (j *simJob) checkReason(say func(string, ...any)) {
	head := j.hosts[0]
	if len(j.fates) != 1 || head.machine.IsKilled() || !head.released {
		return
	}
	f := j.fates[0]
	r, code := f.host.ranks[0], rendezvous.CodeLost
	switch f.what {
	case failsFate:
		if r.stopped || r.end.Code != r.life.code {
			return
		}
		code = r.life.code
	case killedFate:
		if failed, _ := j.whatHappened(); failed == "" {
			return // it had done its work
		}
	case daemonFate:
		if !f.host.daemonDied {
			return
		}
		code = codeKilled
	case cutFate:
		if at := f.host.machine.Cuts[0].From; f.host.number == 0 || head.overAt < at+j.timeout {
			return // it was over before, or it is the leader that was cut off
		}
	case stoppedFate:
		return
	}
	if got := report.ExitCode(head.err); got != code || !strings.HasPrefix(head.reason(), f.host.name+": ") {
		say("%s: %s, and the leader ends with %d (%s)", f.host.name, f.what, got, head.reason())
	}
}

// checkTimes checks that the hosts end within a bound after the last rank has ended, or after something went
// wrong.
func (j *simJob) checkTimes(say func(string, ...any)) {
	loss := j.timeout * 7 / 6
	ends := time.Duration(0) // when the last rank ends by itself
	for _, h := range j.hosts {
		for _, r := range h.ranks {
			if ends = max(ends, h.releasedAt+r.life.begins+r.life.trains+loss); r.life.begins == 0 {
				ends = never
			}
		}
	}
	for _, f := range j.fates {
		at := never
		switch f.what {
		case failsFate:
			at = f.host.ranks[0].end.At.Sub(j.net.Start())
		case killedFate:
			at = f.host.machine.DiedAt()
		case daemonFate:
			at = f.host.releasedAt + f.host.life.daemonDies
		case absentFate:
			at = f.host.releasedAt + j.launch
		case cutFate:
			at = f.host.machine.Cuts[0].From
		case stoppedFate:
			at = f.host.life.stopAt + j.grace
		}
		ends = min(ends, at+2*loss)
	}
	for _, h := range j.hosts {
		if !h.released {
			ends = simWait + j.timeout
		}
	}
	for _, h := range j.hosts {
		if bound := ends + j.timeout*3 + 2*launcherEndBound; h.over && h.overAt > bound {
			say("%s ended after %s, not within %s", h.name, h.overAt, bound)
		}
	}
}

// never is a moment after each simulation.
const never = 100 * time.Hour

// whatHappened says what went wrong before all ranks had ended, and whether the job was stopped.
func (j *simJob) whatHappened() (failed string, stopped bool) {
	var first time.Duration
	for _, h := range j.hosts {
		stopped = stopped || h.life.stopAt > 0 && h.released
	}
	note := func(at time.Duration, format string, words ...any) {
		if failed == "" || at < first {
			failed, first = fmt.Sprintf(format, words...), at
		}
	}
	for _, h := range j.hosts {
		for _, r := range h.ranks {
			at := r.end.At.Sub(j.net.Start())
			if r.ended && r.end.Code != 0 && !r.stopped && !r.killed {
				note(at, "rank %d failed", r.number)
			}
			if h.machine.IsKilled() && r.killed && at == h.machine.DiedAt() {
				note(at, "%s was killed", h.name)
			}
		}
	}
	return failed, stopped
}
