package launch

import "time"

// The times of a launch. docs/architecture.md has all of them in one table.
const (
	// lastWord is how long after the end of a daemon, a session or a host's last process the launcher or a rank may say
	// more. A launcher ends by itself when a rank fails, and then the daemons and the other ranks go too. It is shorter
	// than any --peer-timeout that makes sense.
	lastWord = time.Second
	// wordOnItsWay is how long the last word of a rank of this host may take to arrive, once the launcher has ended.
	wordOnItsWay = lastWord / 4
	// daemonsTerm and daemonsKill are how long the daemons of a worker may stay, once the leader's launcher has ended.
	daemonsTerm, daemonsKill = lastWord / 8, lastWord / 3
	// launcherShare is the end of the grace that is the launcher's own, at most: a sixth of a short grace.
	launcherShare = 15 * time.Second
	// launcherEnd is how long a launcher may take to end once all its ranks have. Open MPI 4 takes up to three seconds.
	launcherEnd = 5 * time.Second
	// endBoundAlone is how long the launcher of a host alone and its ranks may take to end once one of them has failed.
	endBoundAlone = 2500 * time.Millisecond
	// lossNoticed is how long the rendezvous may take at most to notice that a host is lost, where the launcher ends at
	// once. It is a third of a short --peer-timeout.
	lossNoticed = 3 * time.Second
	// rankGrace is the grace of a rank's wrapper. The host's run knows the job's grace and ends the rank.
	rankGrace = 24 * time.Hour
)

// endBound is how long a launcher and its ranks may take to end by themselves once the job has failed. A loss is noticed
// within ten twelfths of --peer-timeout, and one and a half of these end the ranks: all within --peer-timeout.
func endBound(peerTimeout time.Duration) time.Duration {
	if peerTimeout == 0 {
		return endBoundAlone
	}
	return peerTimeout / 12
}

// explainBound is how long a launcher that ends a job's ranks may take until it says why.
func (h *Host) explainBound() time.Duration { return min(launcherEnd, 3*h.machine.endBound) }
