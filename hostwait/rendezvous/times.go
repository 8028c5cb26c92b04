package rendezvous

import "time"

// Every time-out, grace and pause of this package is in this file. The user chooses one of them,
// Config.PeerTimeout: a host is lost when nothing was heard of it for so long, whatever took the place of its
// word (30 s by default). The methods of Config below are parts of it.
const (
	// earlierFailureWait is how long the leader waits after the first failure for word of an earlier one. When
	// one rank dies, its peers fail within milliseconds, and the word of any of them may arrive first. It is
	// also the margin within which a failure and the break of a connection count as simultaneous. A network
	// and two busy hosts need far less. It must be smaller than earlierFailureWaitLaunched.
	earlierFailureWait = 250 * time.Millisecond

	// earlierFailureWaitLaunched replaces earlierFailureWait where a launcher starts the ranks of all hosts.
	// The launcher may end before the host of the failed rank has read the rank's last words. It must be
	// larger than earlierFailureWait and smaller than causeWait.
	earlierFailureWaitLaunched = 600 * time.Millisecond

	// causeWait replaces earlierFailureWaitLaunched while every known failure follows from another one and the
	// launcher still ends the other ranks. A host whose rank ran out of memory may need seconds to say so. It
	// must be larger than earlierFailureWaitLaunched.
	causeWait = 6 * time.Second

	// answerHoldBeforeRelease is the longest time that the leader holds an answer back before the release. The
	// answers then list the missing hosts, which change often, so it is no longer than the default
	// answerHold.
	answerHoldBeforeRelease = 2 * time.Second

	// requestReadTime bounds the TLS handshake and the reading of one request. A host needs milliseconds, a
	// stranger keeps its place at most this long. It must be larger than a round trip with a few lost packets
	// (about 1 s).
	requestReadTime = 5 * time.Second

	// answerWriteTime bounds the writing of one answer, after the longest hold. The table of 1,000 hosts has
	// 60 KB. It must be larger than a round trip with a few lost packets (about 1 s).
	answerWriteTime = 5 * time.Second

	// shutdownTime bounds how long the leader waits for its last answers to be written before it closes all
	// connections. All hosts have said goodbye by then or are lost, so it is short. It must be smaller than
	// answerWriteTime.
	shutdownTime = time.Second

	// acceptPause is the pause after an Accept that failed, such as for lack of file descriptors. New
	// connections wait in the kernel meanwhile, so it must be much smaller than longestConnectTime.
	acceptPause = 100 * time.Millisecond

	// lingerTime is how long the leader reads on from a connection after the last answer. A peer reads the
	// answer within milliseconds. A stranger can hold a connection for as long, so it must be smaller than
	// requestReadTime.
	lingerTime = 500 * time.Millisecond

	// departurePause is the pause between two looks at whether all hosts have left. It adds to the end of
	// every job, so it is far below what a user notices.
	departurePause = 20 * time.Millisecond

	// firstHelloWait is how long a host waits before its first hello for Ready. Usually all names resolve at
	// once, and one hello then says both. It must be smaller than the second after which a wait is first
	// reported (hostwait.Often).
	firstHelloWait = 500 * time.Millisecond

	// farewellTime is how long a worker that leaves before its release waits for the answer to its last hello,
	// whether or not the leader was reached before. A leader that is up answers within milliseconds. It must be
	// larger than the longest pause between two tries (shortestRetryPause after retryPauseDoublings, with its
	// jitter).
	farewellTime = time.Second

	// farewellTimeReached replaces farewellTime where the leader has answered before: the network may lose a
	// connection at that moment. It must be larger than farewellTime.
	farewellTimeReached = 5 * time.Second

	// farewellPause is the pause between two looks at whether the leader can still be reached while a worker
	// leaves. It must be smaller than farewellTime.
	farewellPause = farewellTime / 10

	// longestConnectTime bounds connectTime. The kernel sends a lost SYN again after 1 s and after 3 s, so a try
	// survives the loss of one or two.
	longestConnectTime = 3 * time.Second

	// longestReconnectTime bounds reconnectTime. It must not be larger than longestConnectTime.
	longestReconnectTime = time.Second

	// shortestAnswerDelay bounds answerDelay from below, for a short PeerTimeout. The kernel sends a lost
	// segment again after 0.2 s, 0.6 s and 1.4 s, so an answer survives the loss of three.
	shortestAnswerDelay = 2 * time.Second

	// lastWordHold bounds how long the leader holds back the answer to a hello with an end. The answer is
	// usually due at once. If it is late, the host notices that the sooner.
	lastWordHold = time.Second

	// standstill is the lateness of a timer from which on this process counts as having stood still. It must be
	// larger than the lateness on a busy machine, and smaller than PeerTimeout.
	standstill = 2 * time.Second

	// shortestRetryPause is the pause after the first hello that could not be delivered. It doubles
	// retryPauseDoublings times, up to 400 ms, and a random quarter is added, so that the hosts do not come
	// all at once. With the longest pause, 0.5 s, a host notices its leader at most half a second late. That
	// must be smaller than farewellTime and longestConnectTime.
	shortestRetryPause  = 50 * time.Millisecond
	retryPauseDoublings = 3

	// addressesValidTime is how long the leader trusts the addresses of a host's name before it looks them up
	// again. Without it a thousand hosts would ask the name server 200 times a second. An address that is not
	// among them is looked up at once, so it depends on no other time.
	addressesValidTime = time.Minute

	// searchPause is the shortest time from the start of one look-up of the names of all missing hosts to the
	// start of the next. A peer without the cluster key causes it, and strangers may come all the time. It must
	// be smaller than addressesValidTime.
	searchPause = time.Second

	// clockDifferenceWarned is the difference of two clocks from which on the leader warns. The moment of a
	// failure does not depend on it (see member.measureLag), the times in the logs do. Hosts with NTP differ by
	// milliseconds.
	clockDifferenceWarned = 2 * time.Second

	// longestSpan bounds the durations that hosts send. A longer one would overflow when it is converted, and
	// means the same. It must be larger than any PeerTimeout.
	longestSpan = 24 * time.Hour
)

// answerHold is the longest time that the leader holds an answer back, and so the pause between two hellos
// of a host without news. It is a fifteenth of PeerTimeout: several hellos in a row may be lost before
// PeerTimeout has passed.
func (c *Config) answerHold() time.Duration { return c.PeerTimeout / 15 }

// wordDelay is how late the next word of a host may be that was answered, and of a leader whose answer is
// due, before its silence counts. A network that was divided for almost PeerTimeout has this time to bring a
// new connection about: it must be larger than reconnectTime with the longest pause between two tries, where
// PeerTimeout is long enough for that (24 s).
func (c *Config) wordDelay() time.Duration { return c.PeerTimeout / 15 }

// lagWindow is the time after which the fastest hello of a host is looked for anew. A hundred hellos of a
// host without news are in it. Two clocks run apart by less than a tenth of a second meanwhile.
func (c *Config) lagWindow() time.Duration { return 100 * c.answerHold() }

// longestAnswerHold is answerHold where that is longer than answerHoldBeforeRelease, and otherwise the
// latter. The leader holds no answer back longer, whatever a hello asks for. The time to write an answer
// begins after it.
func (c *Config) longestAnswerHold() time.Duration {
	return max(answerHoldBeforeRelease, c.answerHold())
}

// answerDelay is how long an answer may be late, and so a TLS handshake may take, until a worker gives the
// connection up and makes a new one. It is long enough for TCP to send lost segments again, and so short that
// a connection which is stuck can be replaced several times within PeerTimeout.
func (c *Config) answerDelay() time.Duration {
	return min(max(shortestAnswerDelay, c.PeerTimeout/6), c.PeerTimeout/3)
}

// connectTime bounds one attempt to connect to the leader. It must be smaller than PeerTimeout, so that
// several attempts are made.
func (c *Config) connectTime() time.Duration { return min(longestConnectTime, c.PeerTimeout/3) }

// longestTry is how long a try to say a hello takes at most, with the pause after it.
func (c *Config) longestTry(patience time.Duration) time.Duration {
	const longestPause = shortestRetryPause << retryPauseDoublings * 5 / 4
	return c.answerHold() + c.connectTime() + c.answerDelay() + patience + longestPause
}

// reconnectTime bounds one attempt to connect to a leader that was reached before. The kernel sends a lost
// SYN again after 1 s; the next attempt does that as well. So a network that was cut is noticed within this
// time and a pause once it is back.
func (c *Config) reconnectTime() time.Duration { return min(longestReconnectTime, c.connectTime()) }

// settleBound is how long a worker that was released stays at most after its end. The leader may first have
// to find out whether another host is lost, which takes PeerTimeout. It must be larger than twice
// PeerTimeout, since the leader itself may be lost afterwards.
func (c *Config) settleBound() time.Duration { return c.PeerTimeout * 5 / 2 }

// goodbyeTime is how long a worker tries to say goodbye. Its own end is settled, so it only spares the leader
// a wait. It must be smaller than PeerTimeout.
func (c *Config) goodbyeTime() time.Duration { return c.PeerTimeout / 3 }

// lossTime is how long it takes at most until a host that says nothing more counts as lost.
func (c *Config) lossTime() time.Duration {
	return c.PeerTimeout + c.answerHold() + c.wordDelay() + c.lossCheckPause()
}

// lossCheckPause is the pause between two looks of the leader for lost hosts. It adds to PeerTimeout, and is
// far smaller.
func (c *Config) lossCheckPause() time.Duration { return c.PeerTimeout / 30 }

// idleBound is how long the leader keeps a connection without a request. It must be larger than
// PeerTimeout, so that the server never closes the connection of a host that is not lost.
func (c *Config) idleBound() time.Duration { return 2 * c.PeerTimeout }
