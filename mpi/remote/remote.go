// Package remote starts a launcher's daemons on other hosts, and keeps the connection to the ranks on this
// host. The image needs neither ssh nor sshd.
//
// On every host `entrain run` is the supervisor. On the workers it serves remote launches over the SSH
// protocol (Server). On the leader it keeps one authenticated connection to each worker (Pool). mpirun calls
// `entrain rsh` instead of ssh. That is a thin client of the run on its own host (Rsh). So is `entrain rank`,
// which runs each trainer (RankClient). Both connect to a unix socket (Local), so no key ever reaches a
// process of the user's.
//
// A connection may be reset at any moment. The daemons live on, and the Pool connects again:
//
//	leader                                                       worker
//	rsh ── session ══ channel ══ connection 1 ══╳
//	          ║                                                  session ── daemon
//	          ╚══════ channel ══ connection 2 ══ channel ══════════╝
//
// A session (stream.go) is the same on both sides. It has four streams: stdin one way; stdout, stderr and the
// exit code the other way. The bytes of a stream are numbered. The sender keeps them until the receiver has
// acknowledged them, 256 KiB at most, and begins with them on the next channel. The receiver skips what it
// has received before. So it does not matter where a connection has ended.
//
// Every connection is a whole SSH connection with keys, and begins with the list of the sessions that the
// client wants (sessionsRequest). The server kills the daemons of all others. The list is empty when the
// leader's run ends. A Server that ends says so too (requestEnd). Without such a word, each side gives the
// other up when it has heard nothing of it for Config.PeerTimeout, and not before.
package remote

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// Config says how a host launches daemons on the other hosts (NewPool), and starts daemons for them (Serve).
type Config struct {
	Self        string        // this host's name
	Hosts       []string      // all hosts that may take part, in the order of ranks: the leader first
	KeyPair     KeyPair       // derives this cluster's keys for this job
	Port        int           // the port of every host's Server
	PeerTimeout time.Duration // a host is lost when nothing was heard of it for so long
	Lookup      func(ctx context.Context, host string) ([]netip.Addr, error)
	Start       Start             // for Serve
	Warn        func(text string) // logs a warning
	// Diagnose says in plain words what an error of a connection to a host most likely means: "it …". reached
	// says whether the host was reached before.
	Diagnose func(err error, reached bool) string

	local net.Addr // the address that connections come from; nil means any. Tests have many hosts on one machine
}

// KeyPair derives the Ed25519 key pair of a label. All hosts that have the cluster key derive the same pair.
// Pairs of different labels, and of different jobs, must have nothing in common.
type KeyPair func(label string) (ed25519.PrivateKey, error)

// Start starts a daemon on this host. words holds one string: SSH joins all words with spaces. files are the
// daemon's stdin, stdout and stderr; the caller closes them once Start has returned. Start calls ended once,
// with the daemon's exit code, 128+n for signal n. kill sends SIGKILL to the daemon and to all its
// descendants. It does nothing where the daemon has ended.
type Start func(words []string, files [3]*os.File, ended func(code int)) (kill func(), err error)

// check refuses a configuration that would not protect the host.
func (c *Config) check() error {
	switch {
	case c.KeyPair == nil:
		return errors.New("remote launches need a cluster key, and there is none")
	case c.PeerTimeout <= 0:
		return errors.New("remote launches need a time after which a peer is lost")
	}
	return nil
}
