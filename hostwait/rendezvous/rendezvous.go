// Package rendezvous makes the hosts of a job start together and end together.
//
// Every host says hello to the leader over HTTP: who it is and how it is. The leader answers with a view:
// how all hosts are. It holds an answer back until there is news. So one kind of request joins the
// rendezvous, waits for the release, shows that the host is alive, and reports its end. No host carries out
// what another one says: a hello can at most stop the other hosts.
//
// The SageMaker toolkits have no rendezvous. One host polls the ssh ports of the others or waits for a
// file, each of the others waits for a process to appear and to vanish, and a failed host is noticed when
// everything else has timed out.
package rendezvous

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"entrain/hostwait"
)

// Config is what a host brings to the rendezvous.
type Config struct {
	Hosts   []string // all hosts in the order of ranks; the first one leads
	Self    Member
	Mode    string // the verb; it must be the same on all hosts
	Version string // of the program
	Digests Digests
	Command []Word // the words of the trainer's command; none if there is no command

	Table bool // this host uses what the others tell about themselves: Gather returns it

	Port        int           // the TCP port of the leader
	Interface   string        // the network interface by which the other hosts reach this one
	PeerTimeout time.Duration // a host of which nothing was heard for so long is lost
	Key         Key           // the cluster key; the zero Key where there is none
	Job         string        // the name of the job; the key pairs of two jobs differ

	Lookup hostwait.Lookup
	// Printable makes a text one line of printable characters. It changes no text that is one already.
	Printable func(text string) string

	Ignore bool // the failure of another host does not end Context
	Warn   func(text string)
	Info   func(text string) // may be nil

	// Launches says that the leader's launcher starts the ranks of all hosts. The other hosts then end
	// together with it, with an *OverError. A stop does not end Context: OnStop is called for it, and OnQuiet
	// once every host has called Quiet. The two functions must return at once, and must not call the session.
	Launches        bool
	OnStop, OnQuiet func()

	// OwnRanks says that each host starts several ranks of a job. A failure that follows from another one then
	// waits longer for that one: a rank that has lost its peer may end before the peer has.
	OwnRanks bool

	// UntilLeader says that the job ends with the leader's work: where that has ended with 0, the Context of the
	// other hosts ends with an *OverError, and a failure of theirs does not count any more.
	UntilLeader bool

	// MaxRestarts is how often the work of all hosts may start again after a failure. A host whose work has
	// ended well then stays until all have ended.
	MaxRestarts int

	// Dial connects to the leader, and Listen makes the leader's listener. They are nil for TCP. A simulation
	// of a network sets them.
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Listen func(ctx context.Context) (net.Listener, error)
	// Vary returns a length of time from 0 up to longest, which a pause between two tries is longer by. It is
	// nil for a random one. A simulation sets it, so that a job can be played again exactly.
	Vary func(longest time.Duration) time.Duration

	localAddr net.Addr // for tests with many hosts on one machine: where a worker connects from; nil for any
}

func (c *Config) leads() bool        { return c.Self.Host == c.Hosts[0] }
func (c *Config) leaderHost() string { return c.Hosts[0] }

// PeerError ends a host because another host has failed or is lost.
type PeerError struct {
	Host string // the other host
	Code int    // the exit code of the other host, with which every host ends
	Text string // the reason in one line
	Last string // the last lines of the launcher, if one has started the ranks of all hosts
}

// Error returns the host and the reason. Each hint of the reason gets a line of its own.
func (e *PeerError) Error() string {
	return e.Host + ": " + strings.ReplaceAll(e.Text, "; hint: ", "\nhint: ")
}

// CodeLost is the exit code of a job that has lost a host, since nobody knows that host's own code (69,
// EX_UNAVAILABLE in sysexits.h).
const CodeLost = 69

// StopError ends a host because another host was sent SIGTERM.
type StopError struct{ Host string }

func (e *StopError) Error() string { return "stopped, since " + e.Host + " was sent SIGTERM" }

// OverError ends a host because the leader's launcher has ended, or its work where the job ends with that.
type OverError struct{ Code int }

func (e *OverError) Error() string {
	return fmt.Sprintf("the launcher has ended with exit code %d", e.Code)
}

// RefusedError ends a host because it must not join the rendezvous.
type RefusedError struct {
	By  string // the host that refuses
	Why string
}

func (e *RefusedError) Error() string { return e.By + " refuses: " + e.Why }

// ListenError says that a host cannot listen for the others.
type ListenError struct{ Err error }

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen for the other hosts: %v\nhint: --port", e.Err)
}
func (e *ListenError) Unwrap() error { return e.Err }
