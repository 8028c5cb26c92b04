// Package remote starts a launcher's daemons on other hosts, and keeps in touch with the ranks on this one, with neither
// ssh nor sshd in the image.
//
// On every host `entrain run` is the supervisor. On the workers it serves remote launches over the SSH protocol (Server);
// on the leader it keeps one authenticated connection to each worker (Pool). What mpirun calls instead of ssh is a thin
// client of the run on its own host (Rsh), and so is what stands around each rank (RankClient): both come over a unix
// socket (Local), so that no key ever reaches a process of the user's.
package remote

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// Config is what a host brings to the launch of others' daemons, or its own.
type Config struct {
	Self        string        // this host's name
	Hosts       []string      // all that may take part, in the order of ranks
	Job         string        // keys of one job are worth nothing in another
	Secret      []byte        // the cluster key
	Port        int           // where every host's agent listens
	PeerTimeout time.Duration // within which the loss of a host is noticed
	Lookup      func(ctx context.Context, host string) ([]netip.Addr, error)
	Start       Start // for Serve
	Warn        func(text string)

	local net.Addr // where connections come from; nil for anywhere. For tests: many hosts on one machine
}

// Start begins a daemon on this host with three files as its stdin, stdout and stderr, which are the caller's to close
// once Start has returned. What the other host asks for is one string in SSH, the words joined with spaces: that is what
// words holds, as its only element. It calls ended once with the daemon's exit code, 128+n for a signal; kill sends
// SIGKILL to the daemon and to all below it; it may be called when the daemon has just ended, and then does nothing.
type Start func(words []string, files [3]*os.File, ended func(code int)) (kill func(), err error)

// every is how often a peer is asked whether it is there: two answers may be late or lost.
func (c *Config) every() time.Duration { return c.PeerTimeout / 6 }

// silence is how long nothing may be heard of a peer.
func (c *Config) silence() time.Duration { return c.PeerTimeout / 2 }

// check refuses what would be no protection.
func (c *Config) check() error {
	switch {
	case len(c.Secret) == 0:
		return errors.New("remote launches need a cluster key, and there is none")
	case c.PeerTimeout <= 0:
		return errors.New("remote launches need a time after which a peer is lost")
	}
	return nil
}
