package rendezvous

import (
	"strings"
	"time"

	"entrain/hostwait/rendezvous/simnet"
)

// newSimJob decides by a seed what happens in a job.
func newSimJob(seed uint64) *simJob {
	n := simnet.New(seed, 0)
	j := &simJob{net: simnet.New(seed, 3+int(4*n.Roll("hosts"))-1), timeout: 30 * time.Second}
	n = j.net
	if n.Roll("key") < 0.3 {
		j.key = Key{strings.Repeat("k", keySize)}
	}
	if n.Roll("short") < 0.3 {
		j.timeout = 6 * time.Second
	}
	j.gentle = n.Roll("gentle") < 0.5
	n.Loss = simLosses[int(n.Roll("loss")*float64(len(simLosses)))]
	if n.Roll("troubles") < 0.5 {
		n.Troubles = 0.1
	}
	n.Stall = j.timeout / 7
	j.calm()
	j.planHosts()
	return j
}

// newLossyJob is a job that ends well on a network that loses a fifth of all segments.
func newLossyJob(seed uint64) *simJob {
	n := simnet.New(seed, 2+int(5*simnet.New(seed, 0).Roll("hosts")))
	j := &simJob{net: n, timeout: 30 * time.Second, gentle: true}
	n.Loss = 0.2
	j.planHosts()
	return j
}

// planHosts decides the lives of all hosts.
func (j *simJob) planHosts() {
	span := time.Duration(j.net.Roll("length") * float64(2*j.timeout))
	for i, m := range j.net.Machines {
		h := &simHost{net: j.net, machine: m, host: i}
		j.hosts = append(j.hosts, h)
		j.planHost(h, span)
	}
}

// calm leaves a gentle network one kind of fault. Several at once may last longer than a short PeerTimeout.
func (j *simJob) calm() {
	n := j.net
	if !j.gentle {
		return
	}
	switch x := n.Roll("kind"); {
	case x < 0.4:
		n.Troubles, n.Loss = 0, min(n.Loss, 0.05)
		j.cutting = true
	case x < 0.7:
		n.Loss, n.Stall, n.Mercy = min(n.Loss, 0.05), j.timeout/10, j.timeout/3
	default:
		n.Troubles, j.timeout = 0, 30*time.Second
	}
}

// simLosses are the parts of all segments that a network may lose.
var simLosses = []float64{0, 0, 0, 0.05, 0.2}

// planHost decides the life of a host.
func (j *simJob) planHost(h *simHost, span time.Duration) {
	roll := func(what string) float64 { return j.net.Roll(what, h.host) }
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
	leaderIsCut := j.net.Roll("the leader is cut") < 0.4
	mayBeCut := !j.gentle || j.cutting && leaderIsCut == (h.host == 0) // so that two cuts do not add up
	if mayBeCut && roll("cut") < 0.4 {
		cut := simnet.Span{From: upTo("cut from", span+5*time.Second), OneWay: roll("one way") < 0.4}
		length := upTo("cut for", 2*j.timeout)
		if j.gentle {
			length = upTo("cut for", j.survivable())
			if roll("as long as may be") < 0.3 {
				length = j.survivable()
			}
		}
		cut.To = cut.From + length
		h.machine.Cuts = append(h.machine.Cuts, cut)
	}
	isCut := len(h.machine.Cuts) > 0
	if (!j.gentle || mayBeCut && !isCut) && roll("freeze") < 0.1 {
		from := upTo("freeze from", span+5*time.Second)
		h.machine.Frozen = simnet.Span{From: from, To: from + upTo("freeze for", j.survivable()/2)}
	}
	if j.gentle {
		return
	}
	switch x := roll("fate"); {
	case x < 0.15:
		h.life.code = 3 + h.host
		h.life.train = upTo("fails", span) + time.Second
	case x < 0.25:
		h.machine.Kill = simnet.Kill{At: upTo("killed", span) + 5*time.Second, Machine: roll("machine") < 0.3}
	case x < 0.3:
		h.machine.Kill = simnet.Kill{
			At: upTo("killed", span) + 5*time.Second, AtWrite: 1, Before: roll("before") < 0.5,
		}
	case x < 0.33:
		h.life.stopAt = upTo("stopped", span) + time.Second
	}
	if roll("notices") < 0.5 {
		h.life.notices = time.Millisecond + upTo("noticed", time.Second)
	}
}

// survivable is how long a host may be cut off without being lost: almost PeerTimeout, if that is long enough
// for a new connection afterwards, and the network carries the connection at once.
func (j *simJob) survivable() time.Duration {
	if j.net.Loss+j.net.Troubles > 0 {
		return j.timeout * 6 / 10
	}
	c := Config{PeerTimeout: j.timeout}
	const pause = shortestRetryPause << retryPauseDoublings * 5 / 4
	return j.timeout - max(100*time.Millisecond, c.reconnectTime()+pause+c.lossCheckPause()-c.wordDelay())
}
