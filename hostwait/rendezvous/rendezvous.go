// Package rendezvous makes the hosts of a job start together and end together.
//
// Every host says to the leader, over HTTP, who it is and how it is, and the leader answers with how all are. The leader
// holds an answer back until there is news, so that one kind of request is the join, the release, the
// heartbeat and the end. Nothing that one host says is carried out by another: a hello can at most make the others stop.
//
// Today's toolkits do without: one host polls the others' ssh ports or waits for a file, each peer waits for a
// process to appear and vanish, and a host that fails is noticed when everything else has timed out.
package rendezvous

import (
	"fmt"
	"net"
	"strings"
	"time"

	"entrain/hostwait"
)

// Config is what a host brings to the rendezvous.
type Config struct {
	Hosts   []string // in the order of ranks; the first one leads
	Self    Member
	Mode    string // the verb; all hosts must use the same
	Version string // of the program
	Digests Digests

	Port        int           // the leader's
	Interface   string        // the network interface that peers are reached by
	PeerTimeout time.Duration // within which the loss of a host is noticed
	Key         Key           // the zero Key for none
	Job         string        // keys of one job are worth nothing in another

	Lookup hostwait.Lookup
	// Ignore makes a failure elsewhere no reason to stop here.
	Ignore bool
	Warn   func(text string)

	// Launches says that the leader's work is that of all: it starts what the others do, and they end when it does, with an
	// *OverError. A stop is then not the end of Context: OnStop is told of it, and OnQuiet when every host has said Quiet. The two
	// may not wait, and not call the session.
	Launches        bool
	OnStop, OnQuiet func()

	local net.Addr // where a worker connects from; nil for anywhere. For tests: many hosts on one machine
}

func (c *Config) leads() bool    { return c.Self.Host == c.Hosts[0] }
func (c *Config) leader() string { return c.Hosts[0] }

// PeerError is the error of a host that ends because another one failed or was lost.
type PeerError struct {
	Host string
	Code int // what that host ended with; every host ends with it
	Text string
}

// Error is the host and its text, which comes in one line: each hint gets a line of its own again.
func (e *PeerError) Error() string {
	return e.Host + ": " + strings.ReplaceAll(e.Text, "; hint: ", "\nhint: ")
}

// CodeLost is the exit code of a job that has lost a host, because the host cannot tell its own code (EX_UNAVAILABLE).
const CodeLost = 69

// StopError is the error of a host that ends because another one got SIGTERM.
type StopError struct{ Host string }

func (e *StopError) Error() string { return "stopped, since " + e.Host + " was sent SIGTERM" }

// OverError is the error of a host whose leader's launcher has ended.
type OverError struct{ Code int }

func (e *OverError) Error() string {
	return fmt.Sprintf("the launcher has ended with exit code %d", e.Code)
}

// RefusedError is the error of a host that may not join.
type RefusedError struct {
	By  string // the leader, or the host that is refused
	Why string
}

func (e *RefusedError) Error() string { return e.By + " refuses: " + e.Why }

// ListenError is the error of a host that cannot listen.
type ListenError struct{ Err error }

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen for the other hosts: %v\nhint: --port", e.Err)
}
func (e *ListenError) Unwrap() error { return e.Err }
