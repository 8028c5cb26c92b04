package rendezvous

import (
	"fmt"
	"slices"
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
		j.checkWithoutLeader(say)
		return
	}
	k := head.session.link.(*leader).roster
	if k.stoppedHost != "" {
		return
	}
	causes := j.causes()
	if k.firstFailure == nil && head.code == 0 {
		for _, c := range causes {
			say("h%d %s at %s, and the leader ended with %d", c.host, c.what, c.at, head.code)
		}
	}
	first := k.firstFailure
	if first == nil {
		return
	}
	isTired := j.net.loss+j.net.troubles > 0 // the network may have kept a host from speaking for long
	if !k.firstIsLoss || !isTired {
		j.checkCause(say, causes, k)
	}
	for _, h := range j.hosts {
		if h.machine.isKilled() || h.endedAt < k.firstHeardAt.Sub(j.net.start) || j.isAway(h) {
			continue
		}
		own := h.host == hostNumber(first.Host)
		if h.code != first.Code || !own && h.reason != first.Host+": "+first.Text {
			say("h%d ended with %d (%s), but the leader knew of %+v", h.host, h.code, h.reason, *first)
		}
	}
}

// simCause is something that ends a job.
type simCause struct {
	host int
	what string
	at   time.Duration
}

// causes returns what ended a job: the hosts that were killed before the end of their trainers, and the
// trainers that failed by themselves.
func (j *simJob) causes() (all []simCause) {
	for _, h := range j.hosts {
		switch {
		case h.machine.isKilled() && h.released && h.endedAt == 0:
			all = append(all, simCause{h.host, "was killed", h.machine.diedAt})
		case !h.machine.isKilled() && h.ownCode != 0 && h.signals == 0 && h.ownCode == h.life.code:
			all = append(all, simCause{h.host, "failed", h.endedAt})
		}
	}
	return all
}

// checkCause checks that the failure which counts is the only one, or the first one.
func (j *simJob) checkCause(say func(string, ...any), causes []simCause, k *roster) {
	first := k.firstFailure
	if len(causes) == 0 {
		return
	}
	for _, h := range j.hosts {
		if j.isAway(h) || !h.released {
			return // it may count as lost
		}
	}
	earliest := slices.MinFunc(causes, func(a, b simCause) int { return int(a.at - b.at) })
	const inaccuracy = 2 * time.Second // of the moment of a failure, where the network loses segments
	for _, c := range causes {
		isExact := c.what == "failed" && earliest.what == "failed" && c.at <= earliest.at+inaccuracy
		isNear := c.at <= earliest.at+j.timeout/3
		if c.host == hostNumber(first.Host) && (isExact || isNear && k.firstIsLoss || c == earliest) {
			return
		}
	}
	if m := j.net.machines[hostNumber(first.Host)]; k.firstIsLoss && m.diedAt > 0 &&
		m.diedAt <= earliest.at+j.timeout/3 {
		return // it was killed after its end, and the end was not told
	}
	say("the failure that counts is %+v, but h%d %s first", *first, earliest.host, earliest.what)
}

// checkWithoutLeader checks that no host ends well that had not told its end before the leader was killed.
func (j *simJob) checkWithoutLeader(say func(string, ...any)) {
	const notice = 3 // a worker that says hello meanwhile has noticed after this part of the time
	for _, h := range j.hosts {
		known := h.endedAt > j.net.machines[0].diedAt+j.timeout/notice+5*time.Second
		if !h.machine.isKilled() && h.released && known && h.code == 0 {
			say("h%d ended with 0, and the leader was killed at %s", h.host, j.net.machines[0].diedAt)
		}
	}
}

func hostNumber(name string) (n int) {
	_, _ = fmt.Sscanf(name, "h%d", &n)
	return n
}

// isAway reports whether a host could not speak to the leader for too long. A network that loses segments
// makes that longer.
func (j *simJob) isAway(h *simHost) bool {
	var away time.Duration
	for _, m := range []*simMachine{j.net.machines[0], h.machine} {
		for _, c := range append([]simSpan{m.frozen}, m.cuts...) {
			away += c.to - c.from
		}
	}
	longest := j.survivable()
	if j.net.loss+j.net.troubles > 0 {
		longest /= 2
	}
	return away > longest
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
