package launch

import "time"

// Every bound, grace and pause of this package is in this file. The user chooses two times: --grace (110 s by
// default), from a stop to SIGKILL, and --peer-timeout (30 s by default): a host of which nothing was
// heard for so long is lost. The functions below are parts of these two.
const (
	// messageBound is how long this host waits for a message that is usually on its way already: that the
	// launcher has ended, that a rank has begun on another host, how a rank of this host has ended. A message
	// takes milliseconds. A launcher that ends because of a failed rank takes longer, but usually less than a
	// second. The bound must be shorter than any --peer-timeout that makes sense: the job ends within that time
	// of a failure.
	messageBound = time.Second
	// beginPoll is how often this host looks whether another host's rank has begun, within messageBound. The
	// rendezvous has no channel for that.
	beginPoll = messageBound / 50
	// rankEndBound is how long the leader waits, once its launcher has failed, for the ends of its own ranks.
	// They come by a socket of this host, so they need less than messageBound. Ranks that are still at work hold
	// up the end of the job for this long.
	rankEndBound = messageBound / 4
	// daemonsTermAfter is how long a worker's daemons may stay once the leader's launcher has ended, until they
	// get SIGTERM. They usually leave by themselves at once. The job's end waits for them, so the time is short.
	// It must be shorter than daemonsKillAfter.
	daemonsTermAfter = messageBound / 8
	// daemonsKillAfter is the same until they get SIGKILL.
	daemonsKillAfter = messageBound / 3
	// longestLauncherShare bounds launcherShare. It must be longer than launcherEndBound.
	longestLauncherShare = 15 * time.Second
	// launcherEndBound is how long a launcher may take to end by itself, because all its ranks have ended or one
	// has failed. A launcher whose ranks have all ended gets SIGTERM then, and SIGKILL after twice that. It must
	// be longer than 4.1 seconds, which Open MPI 4 takes: a SIGTERM before that crashes it.
	launcherEndBound = 6 * time.Second
	// portPoll is how often a worker looks whether a daemon has reached its launcher. Most daemons do so within
	// the first pause. The look reads a table of the kernel.
	portPoll = time.Second
	// portSilence is how long a daemon's connection may be pending until the log says so. The kernel sends a
	// lost SYN again after a second, and once more after two.
	portSilence = 4 * time.Second
	// portDialBound bounds the look whether the addresses of a launcher refuse connections. A host that refuses
	// answers within milliseconds. It must be shorter than the time in which the rendezvous waits for an earlier
	// failure: earlierFailureWaitLaunched of hostwait/rendezvous, 600 ms.
	portDialBound = 400 * time.Millisecond
	// clockError is how much the clocks of two hosts may differ after the leader has corrected them. The
	// correction errs by the way of a message, which takes less.
	clockError = 5 * time.Millisecond
	// portLookupBound bounds the look-up of the launcher's name in a daemon's words. The name has resolved
	// before. Close waits for the look-up, so it is short.
	portLookupBound = 3 * time.Second
	// firstBeginReport is when the log says for the first time which hosts' ranks have not begun. Each further
	// report comes after twice the time. Ranks usually begin within a second.
	firstBeginReport = 5 * time.Second
	// endReport is when the log says which ranks have ended, once one has ended with 0. The ranks of an MPI
	// program usually end within a second of each other.
	endReport = time.Minute
	// failureGraceAlone is the failure grace of a host alone: see failureGrace. It equals that of the default
	// --peer-timeout of 30 s.
	failureGraceAlone = 2500 * time.Millisecond
	// ownKillAfter is how long the ranks that entrain itself has started may take after a failure, from SIGTERM
	// to SIGKILL. They cannot save anything: a collective operation without a member never ends.
	ownKillAfter = 5 * time.Second
	// causeBound is how long a host alone waits, once a rank has failed only because another one had gone, until
	// it ends the others. A Python program takes up to a second from its exception to its end.
	causeBound = time.Second
	// rankGrace is the grace of a rank's wrapper. It must be longer than any --grace: this host's run knows the
	// job's grace, and ends the rank.
	rankGrace = 24 * time.Hour
)

// launcherShare is how long before the end of a grace the launcher gets SIGTERM. In this time the launcher
// ends its ranks and daemons. The ranks need the rest of the grace to save their work, so it is only a sixth.
func launcherShare(grace time.Duration) time.Duration { return min(grace/6, longestLauncherShare) }

// lateInGrace is the time after a stop from which on ranks that have not ended are the reason of a launcher's
// failure. It must be shorter than grace - launcherShare(grace), after which the launcher ends because of its
// own SIGTERM.
func lateInGrace(grace time.Duration) time.Duration { return grace * 3 / 4 }

// failureGrace is the part of --peer-timeout from which the bounds after a failure are made. peerTimeout is
// --peer-timeout; 0 for a host alone.
func failureGrace(peerTimeout time.Duration) time.Duration {
	if peerTimeout == 0 {
		return failureGraceAlone
	}
	return peerTimeout / 12
}

// lossKillAfter is how long after the loss of a host, or after a launch that does not succeed, everything
// that is left gets SIGKILL. It is a fifth of --peer-timeout, so that all hosts end soon after a loss: the
// rendezvous notices it --peer-timeout after the last sign of life.
func lossKillAfter(failureGrace time.Duration) time.Duration { return failureGrace * 12 / 5 }

// failureKillAfter is how long after any other failure everything that is left gets SIGKILL. Nothing gets
// SIGTERM before but the trainers: the launcher knows of the failure, and ends by itself.
func failureKillAfter(failureGrace time.Duration) time.Duration {
	return max(launcherEndBound, lossKillAfter(failureGrace))
}

// portBound is how long a daemon may take to reach its launcher. What is left of --peer-timeout is for the
// end of all hosts.
func portBound(peerTimeout time.Duration) time.Duration { return peerTimeout * 19 / 24 }

// explainBound is how long this host waits for the end of a launcher that may have ended a rank or an rsh
// itself. If the launcher ends in this time, its exit code says more than the end of the rank or of the rsh.
const explainBound = launcherEndBound

// successBound is how long the leader waits, once its launcher has ended with 0, for the ends of daemons and
// ranks.
const successBound = explainBound / 2
