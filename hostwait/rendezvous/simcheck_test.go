package rendezvous

import (
	"fmt"
	"time"
)

// check returns what is wrong with the end of a job.
func (j *simJob) check() (wrong []string) {
	say := func(format string, words ...any) { wrong = append(wrong, fmt.Sprintf(format, words...)) }
	if j.late {
		say("not all hosts have ended within %s", simEnd)
	}
	for _, h := range j.hosts {
		if h.signals > 1 {
			say("h%d's trainer got %d signals", h.host, h.signals)
		}
		if j.gentle && h.code != 0 {
			say("h%d ended with %d (%s), and nothing has failed", h.host, h.code, h.reason)
		}
	}
	j.checkFailure(say)
	j.checkTimes(say)
	return wrong
}

// checkFailure compares the ends of all hosts with the failure that the leader knows.
func (j *simJob) checkFailure(say func(string, ...any)) {
	head := j.hosts[0]
	if head.session == nil || head.machine.isKilled() {
		return
	}
	k := head.session.link.(*leader).roster
	if k.firstFailure == nil || k.firstHeardAt.IsZero() || k.stoppedHost != "" {
		return
	}
	heardAt, first := k.firstHeardAt.Sub(j.net.start), k.firstFailure
	for _, h := range j.hosts {
		if h.machine.isKilled() || h.endedAt < heardAt || j.isAway(h) {
			continue
		}
		own := h.host == hostNumber(first.Host)
		if h.code != first.Code || !own && h.reason != first.Host+": "+first.Text {
			say("h%d ended with %d (%s), but the leader knew of %+v", h.host, h.code, h.reason, *first)
		}
	}
}

func hostNumber(name string) (n int) {
	_, _ = fmt.Sscanf(name, "h%d", &n)
	return n
}

// isAway reports whether a host could not speak to the leader for too long.
func (j *simJob) isAway(h *simHost) bool {
	for _, m := range []*simMachine{j.net.machines[0], h.machine} {
		for _, c := range m.cuts {
			if c.to-c.from > j.survivable() {
				return true
			}
		}
	}
	return false
}

// checkTimes compares the ends of all hosts with their bounds.
func (j *simJob) checkTimes(say func(string, ...any)) {
	var last time.Duration // the last thing that happened to a trainer
	for _, h := range j.hosts {
		last = max(last, h.endedAt)
		if !h.released {
			last = max(last, h.life.start+simWait)
		}
		if h.machine.isKilled() {
			last = max(last, h.machine.kill.at)
		}
		for _, c := range h.machine.cuts {
			last = max(last, c.to)
		}
	}
	for _, h := range j.hosts {
		if bound := last + 2*j.timeout + 5*time.Second; h.leftAt > bound {
			say("h%d ended after %s, not within %s", h.host, h.leftAt, bound)
		}
	}
}
