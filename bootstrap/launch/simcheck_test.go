package launch

import (
	"errors"
	"fmt"
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
	return wrong
}

// checkRanks checks that no rank is left, and that no rank is stopped in a job that ends well.
func (j *simJob) checkRanks(say func(string, ...any)) {
	for _, h := range j.hosts {
		for _, r := range h.ranks {
			if r.began && h.over && r.end.At.After(j.net.Start().Add(h.overAt)) {
				say("rank %d ended after its host", r.number)
			}
			if j.well && (r.stopped || r.killed) {
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
		case code != 0 && j.well:
			say("%s ended with %d (%v), and nothing has failed", h.name, code, h.err)
		}
		if head.machine.IsKilled() {
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
