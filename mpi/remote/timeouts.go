package remote

import "time"

// All time limits of this package. Those that follow from Config.PeerTimeout are functions at the end of this
// file.

// A connection between hosts.
const (
	// handshakeTimeout bounds how long a connection may take to become useful: at the client the look-up of the
	// name, the dial and the SSH handshake; at the server the handshake, with the look-up of the client's name.
	// A host needs milliseconds: on two busy cores, 64 handshakes at once end within 250 ms. It is larger than
	// three times dialTimeout, so that a host whose first addresses are dead is reached at its third. It is
	// larger than gateLookupTimeout, since a client waits at the server's gate during its own handshake.
	handshakeTimeout = 10 * time.Second

	// dialTimeout bounds the dial of one address. The kernel sends a lost SYN again after 1 s, so 3 s allow for
	// one that is lost. It is smaller than a third of handshakeTimeout.
	dialTimeout = 3 * time.Second

	// redialTimeout replaces dialTimeout for a host that was reached before. A network that was divided is found
	// again by a new SYN within it and maxRedialPause. The kernel would send the last one again ever later.
	// It is smaller than dialTimeout.
	redialTimeout = time.Second

	// firstRedialPause and maxRedialPause bound the pause between two attempts to reach a host, which grows from
	// the first to the second. Usually the other host is not ready for some milliseconds only. One attempt a
	// second costs nothing, and a host that comes late loses at most that second. Config.PeerTimeout is larger
	// than both.
	firstRedialPause = 20 * time.Millisecond
	maxRedialPause   = time.Second

	// lossGrace bounds how long a session whose channel has ended without an exit code waits for the end of its
	// connection. It usually ends within a millisecond, and the next connection carries the session on. The
	// channel of a connection that stands was ended by the server. It is smaller than PeerTimeout, after which
	// the rendezvous takes a host for lost.
	lossGrace = time.Second
)

// The server's defence against strangers.
const (
	// gateLookupTimeout bounds one look-up of the names of all hosts, during which connections from unknown
	// addresses wait. A DNS server in the same network answers within milliseconds. It is smaller than
	// handshakeTimeout.
	gateLookupTimeout = 3 * time.Second

	// gateLookupPause is the shortest time from the start of one such look-up to the start of the next.
	// Strangers who connect all the time thus cause at most one look-up of each name a second. It is also how
	// long a host whose name has changed may be refused, so it is not larger than maxRedialPause.
	gateLookupPause = time.Second

	// acceptPause is the pause after an Accept that failed, such as for lack of file descriptors. New
	// connections wait in the kernel meanwhile, so it is much smaller than dialTimeout.
	acceptPause = 100 * time.Millisecond
)

// A launcher's daemon.
const (
	// outputGrace bounds how long a daemon's output is read after the daemon's end, or after its client has
	// gone. Other processes may hold the pipe open for ever. What the daemon itself wrote is in the pipe already
	// and is always read. A client waits for the exit code meanwhile, so it is much smaller than the job's grace
	// from SIGTERM to SIGKILL.
	outputGrace = time.Second

	// killGrace bounds the wait for the end of a daemon that was sent SIGKILL. The kernel needs milliseconds,
	// unless the process is stuck in a system call, which may last for ever. Server.Close waits for it, so it is
	// small.
	killGrace = time.Second
)

// The socket of the run on this host.
const (
	// greetingTimeout bounds how long a program that has connected may take to say what it wants. An rsh or a
	// rank says it at once; seconds pass only on a machine that is overloaded. Others can hold a connection no
	// longer.
	greetingTimeout = 5 * time.Second

	// restTimeout bounds the wait for what the trainer of a rank that was killed still writes. The trainer was
	// usually killed with it. The host's end may wait for it, so it is short.
	restTimeout = 150 * time.Millisecond

	// sendTimeout bounds one write of a message. A message is smaller than the socket's buffer, except for a
	// very long command line, so a write takes longer only where the other side has stopped reading. It is as
	// long as greetingTimeout, which is the same patience from the other side. It is smaller than the job's
	// grace: a rank that does not read must not delay the SIGTERM of the next one for longer.
	sendTimeout = 5 * time.Second
)

// The configuration of OpenSSH, which knows whole seconds only.
const (
	// sshConnectTimeout bounds one attempt of ssh to connect, with the handshake, as handshakeTimeout does.
	sshConnectTimeout = handshakeTimeout

	// sshConnectAttempts is how often ssh tries to connect, a second apart. sshd listens before the leader
	// launches, so only a short outage of the network has to be survived.
	sshConnectAttempts = 10

	// sshdLoginTimeout bounds how long a client of sshd may take to show its key. It is as long as the client
	// tries.
	sshdLoginTimeout = sshConnectTimeout

	// keepalivesUntilSilence is how many keepalives of OpenSSH may stay without an answer. It makes ssh and sshd
	// give a peer up after PeerTimeout.
	keepalivesUntilSilence = 3
)

// connectTimeout is how long a host may take to be reached at all, from the first attempt: five sixths of
// PeerTimeout. A sixth is left to end all hosts within PeerTimeout. It is larger than dialTimeout for any
// PeerTimeout of more than 3.6 s.
func (c *Config) connectTimeout() time.Duration { return c.PeerTimeout * 5 / 6 }

// farewellTimeout bounds how long a host that ends waits until a peer has heard of its end: a thirtieth of
// PeerTimeout, a second by default. A peer that has not heard of it notices the silence.
func (c *Config) farewellTimeout() time.Duration { return c.PeerTimeout / 30 }

// keepaliveInterval is how often the client of a connection asks the server whether it is there. It is the
// pause between two hellos of the rendezvous.
func (c *Config) keepaliveInterval() time.Duration { return c.PeerTimeout / 15 }

// silenceTimeout is how long nothing may be heard of a peer until it is lost: PeerTimeout from when the next
// word was due, and as much again as that for a new connection. The rendezvous counts in the same way, so a
// network that loses all packets for less than PeerTimeout loses no host.
func (c *Config) silenceTimeout() time.Duration { return c.PeerTimeout + 2*c.keepaliveInterval() }

// staleTimeout is how long nothing may be heard on a connection until the client makes a new one. Two lost
// segments in a row come again within it, by TCP. It is so short that a connection which is stuck is replaced
// several times within PeerTimeout.
func (c *Config) staleTimeout() time.Duration {
	return c.keepaliveInterval() + min(max(shortestAnswerDelay, c.PeerTimeout/6), c.PeerTimeout/3)
}

// shortestAnswerDelay bounds staleTimeout from below, for a short PeerTimeout. The kernel sends a lost
// segment again after 0.2 s, 0.6 s and 1.4 s.
const shortestAnswerDelay = 2 * time.Second
