package rendezvous

import (
	"strings"
	"time"
)

// newSimJob decides by a seed what happens in a job.
func newSimJob(seed uint64) *simJob {
	n := newSimNet(seed, 0)
	j := &simJob{net: newSimNet(seed, 3+int(4*n.roll("hosts"))-1), timeout: 30 * time.Second}
	n = j.net
	if n.roll("key") < 0.3 {
		j.key = Key{strings.Repeat("k", keySize)}
	}
	if n.roll("short") < 0.3 {
		j.timeout = 6 * time.Second
	}
	j.gentle = n.roll("gentle") < 0.5
	n.loss = simLosses[int(n.roll("loss")*float64(len(simLosses)))]
	if n.roll("troubles") < 0.5 {
		n.troubles = 0.1
	}
	n.stall = j.timeout / 7
	j.calm()
	span := time.Duration(n.roll("length") * float64(2*j.timeout))
	for i, m := range n.machines {
		h := &simHost{net: n, machine: m, host: i}
		j.hosts = append(j.hosts, h)
		j.planHost(h, span)
	}
	return j
}

// calm leaves a gentle network one kind of fault. Several at once may last longer than a short PeerTimeout.
func (j *simJob) calm() {
	n := j.net
	if !j.gentle {
		return
	}
	switch x := n.roll("kind"); {
	case x < 0.4:
		n.troubles, n.loss = 0, min(n.loss, 0.05)
		j.cutting = true
	case x < 0.7:
		n.loss, n.stall = min(n.loss, 0.05), j.timeout/10
	default:
		n.troubles, j.timeout = 0, 30*time.Second
	}
}

// simLosses are the parts of all segments that a network may lose.
var simLosses = []float64{0, 0, 0, 0.05, 0.2}

// planHost decides the life of a host.
func (j *simJob) planHost(h *simHost, span time.Duration) {
	roll := func(what string) float64 { return j.net.roll(what, h.host) }
	upTo := func(what string, longest time.Duration) time.Duration {
		return time.Duration(roll(what) * float64(longest))
	}
	h.life = simLife{
		start: upTo("start", 3*time.Second), train: span + upTo("train", 2*time.Second),
		term: upTo("term", time.Second), termCode: 143,
	}
	if roll("well behaved") < 0.3 {
		h.life.termCode = 0
	}
	leaderIsCut := j.net.roll("the leader is cut") < 0.4
	mayBeCut := !j.gentle || j.cutting && leaderIsCut == (h.host == 0) // so that two cuts do not add up
	if mayBeCut && roll("cut") < 0.4 {
		longest := j.timeout * 2
		if j.gentle {
			longest = j.survivable() / 2 // a frozen host may add as much
		}
		from := upTo("cut from", span+5*time.Second)
		h.machine.cuts = append(h.machine.cuts,
			simSpan{from, from + upTo("cut for", longest), roll("one way") < 0.4})
	}
	if (!j.gentle || mayBeCut) && roll("freeze") < 0.1 {
		from := upTo("freeze from", span+5*time.Second)
		h.machine.frozen = simSpan{from: from, to: from + upTo("freeze for", j.survivable()/2)}
	}
	if j.gentle {
		return
	}
	switch x := roll("fate"); {
	case x < 0.15:
		h.life.code = 3 + h.host
		h.life.train = upTo("fails", span) + time.Second
	case x < 0.25:
		h.machine.kill = simKill{at: upTo("killed", span) + 5*time.Second, machine: roll("machine") < 0.3}
	case x < 0.3:
		h.machine.kill = simKill{at: upTo("killed", span) + 5*time.Second, atWrite: 1, before: roll("before") < 0.5}
	case x < 0.33:
		h.life.stopAt = upTo("stopped", span) + time.Second
	}
	if roll("notices") < 0.5 {
		h.life.notices = time.Millisecond + upTo("noticed", time.Second)
	}
}

// survivable is how long a host may be cut off without being lost.
func (j *simJob) survivable() time.Duration { return j.timeout * 6 / 10 }
