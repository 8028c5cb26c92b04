package rendezvous

import (
	"fmt"
	"slices"
	"time"

	"entrain/hostwait/rendezvous/simnet"
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
	if head.session == nil || head.machine.IsKilled() {
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
	isTired := j.net.Loss+j.net.Troubles > 0 // the network may have kept a host from speaking for long
	if !k.firstIsLoss || !isTired {
		j.checkCause(say, causes, k)
	}
	for _, h := range j.hosts {
		if h.machine.IsKilled() || h.endedAt < k.firstHeardAt.Sub(j.net.Start()) || j.isAway(h) {
			continue
		}
		if isTired && (h.hasLostLeader() || j.isLost(h)) {
			continue
		}
		own := h.host == hostNumber(first.Host)
		if h.code != first.Code || !own && h.reason != first.Host+": "+first.Text {
			say("h%d ended with %d (%s), but the leader knew of %+v", h.host, h.code, h.reason, *first)
		}
	}
}

// hasLostLeader reports whether a worker has heard nothing of the leader for PeerTimeout.
func (h *simHost) hasLostLeader() bool {
	w, ok := h.session.link.(*worker)
	return ok && h.net.Start().Add(h.leftAt).Sub(w.lastAnswer) >= w.config.PeerTimeout
}

// isLost reports whether the leader has heard nothing of a worker for PeerTimeout.
func (j *simJob) isLost(h *simHost) bool {
	m := j.hosts[0].session.link.(*leader).roster.members[h.session.config.Self.Host]
	return m != nil && m.left && !m.Bye && m.Ended == nil
}

// simCause is something that ends a job.
type simCause struct {
	host int
	what string
	at   time.Duration
	seen time.Duration // when the other hosts can know that it was not later
}

// causes returns what ended a job: the hosts that were killed before the end of their trainers, and the
// trainers that failed by themselves.
func (j *simJob) causes() (all []simCause) {
	for _, h := range j.hosts {
		switch {
		case h.machine.IsKilled() && h.isAtWork():
			all = append(all, simCause{h.host, "was killed", j.lastHeardOf(h), j.seenAt(h.machine.BrokeAt())})
		case !h.machine.IsKilled() && h.ownCode != 0 && h.signals == 0 && h.ownCode == h.life.code:
			all = append(all, simCause{h.host, "failed", h.endedAt, h.endedAt})
		}
	}
	return all
}

// seenAt returns when the leader sees what arrives at a time. It may be frozen then.
func (j *simJob) seenAt(at time.Duration) time.Duration {
	if f := j.net.Machines[0].Frozen; f.From <= at && at < f.To {
		return f.To
	}
	return at
}

// lastHeardOf returns when the others have heard of a host last that was killed: at its death, or before a
// cut or a standstill after which it did not come back.
func (j *simJob) lastHeardOf(h *simHost) time.Duration {
	at := h.machine.DiedAt()
	heard := at
	k := j.hosts[0].session.link.(*leader).roster
	if m := k.members[fmt.Sprintf("h%d", h.host)]; m != nil && h.host > 0 {
		heard = m.lastHeard.Sub(j.net.Start())
	}
	away := slices.Concat(j.net.Machines[0].Cuts, h.machine.Cuts, []simnet.Span{h.machine.Frozen})
	for _, c := range away {
		if c.From < at && heard < c.To {
			at = c.From
		}
	}
	return at
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
	counts := j.hosts[hostNumber(first.Host)]
	for _, c := range causes {
		isExact := c.what == "failed" && earliest.what == "failed" && c.at <= earliest.at+inaccuracy
		isNear := c.at <= earliest.at+j.timeout/3
		if c.host == counts.host && (isExact || isNear && k.firstIsLoss || c == earliest) {
			return
		}
	}
	if k.firstIsLoss && counts.machine.IsKilled() && j.lastHeardOf(counts) <= earliest.at+j.timeout/3 {
		return // it was killed after its end, and the end was not told
	}
	if !k.firstIsLoss && counts.endedAt < earliest.seen-earlierFailureWait && earliest.seen < never {
		return // the end of the connection was seen later than the failure happened
	}
	say("the failure that counts is %+v, but h%d %s first", *first, earliest.host, earliest.what)
}

// never is a moment after each simulation.
const never = 100 * time.Hour

// checkWithoutLeader checks that no host ends well that had not told its end before the leader was killed.
func (j *simJob) checkWithoutLeader(say func(string, ...any)) {
	const notice = 3 // a worker that says hello meanwhile has noticed after this part of the time
	for _, h := range j.hosts {
		known := h.endedAt > j.net.Machines[0].DiedAt()+j.timeout/notice+5*time.Second
		if !h.machine.IsKilled() && h.released && known && h.code == 0 {
			say("h%d ended with 0, and the leader was killed at %s", h.host, j.net.Machines[0].DiedAt())
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
	for _, m := range []*simnet.Machine{j.net.Machines[0], h.machine} {
		for _, c := range append([]simnet.Span{m.Frozen}, m.Cuts...) {
			away += c.To - c.From
		}
	}
	longest := j.survivable()
	if j.net.Loss+j.net.Troubles > 0 {
		longest /= 2
	}
	return away > longest
}

// checkTimes compares the ends of all hosts with the bounds that docs/architecture.md gives.
func (j *simJob) checkTimes(say func(string, ...any)) {
	c := &j.hosts[0].session.config
	told := j.wentWrongAt() + 2*c.lossTime() + c.connectTime()
	for _, h := range j.hosts {
		if h.machine.IsKilled() {
			continue
		}
		bound := h.life.start + simWait + farewellTimeReached + c.PeerTimeout // it never met the others
		if h.released {
			ends := min(h.life.start+simWait+h.life.train, told)
			if stopped := j.stoppedAt(); stopped > 0 {
				ends = min(ends, stopped+c.lossTime())
			}
			if bound := ends + h.life.term + inaccuracy; h.endedAt > bound {
				say("h%d's trainer ended after %s, not within %s", h.host, h.endedAt, bound)
			}
			if h.endedAt == 0 || h.endedAt > h.leftAt {
				say("h%d's trainer has survived its entrain", h.host)
			}
			bound = h.endedAt + c.settleBound() + c.goodbyeTime()
		}
		if h.host == 0 {
			bound = max(bound, j.lastDeparture()+c.lossTime())
		}
		if bound += inaccuracy; h.leftAt > bound {
			say("h%d ended after %s, not within %s", h.host, h.leftAt, bound)
		}
	}
}

// inaccuracy is what the network adds to a bound.
const inaccuracy = 2 * time.Second

// wentWrongAt returns when the first thing went wrong that ends a job: a failure, a kill, or a division that
// lasts. It is never without one.
func (j *simJob) wentWrongAt() time.Duration {
	first := never
	for _, h := range j.hosts {
		if h.ownCode != 0 && h.signals == 0 {
			first = min(first, h.endedAt)
		}
		if h.machine.IsKilled() {
			first = min(first, h.machine.DiedAt())
		}
	}
	return first
}

// stoppedAt returns when a host was sent SIGTERM. It is 0 if none was.
func (j *simJob) stoppedAt() time.Duration {
	for _, h := range j.hosts {
		isHeard := !h.machine.IsKilled() && !j.isAway(h) && len(h.machine.Cuts) == 0
		if h.stopped > 0 && isHeard {
			return h.stopped
		}
	}
	return 0
}

// lastDeparture returns when the last worker has left or was killed.
func (j *simJob) lastDeparture() (last time.Duration) {
	for _, h := range j.hosts[1:] {
		last = max(last, h.leftAt, h.machine.DiedAt())
	}
	return last
}
