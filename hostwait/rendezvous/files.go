package rendezvous

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// The leader's need of open files.
const (
	filesBeside    = 64 // for the log, the contract, the trainer, and strangers
	filesForLaunch = 5  // for each host under a launcher: the agent's connection, and a call of entrain rsh
)

// FilesLimit is how many files this process may have open. Go's runtime has raised it to the hard limit. Only
// a privileged process could raise that. It is 0 if it is unknown.
func FilesLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<30))
}

// FilesNeeded is how many files this host may have open at the same time. On a worker it is 0.
func (s *Session) FilesNeeded() int { return s.config.filesNeeded() }

func (c *Config) filesNeeded() int {
	if !c.leads() {
		return 0
	}
	perHost := 1
	if c.Launches {
		perHost += filesForLaunch
	}
	return filesBeside + perHost*(len(c.Hosts)-1)
}

// warnOfLimit warns if this host may have fewer open files than it needs.
func (c *Config) warnOfLimit(limit int) {
	if need := c.filesNeeded(); limit > 0 && limit < need {
		c.Warn(fmt.Sprintf("this host may have %d open files, and as the leader of %d hosts it needs %d\n"+
			"hint: docker run --ulimit nofile=%d, or ulimit -n", limit, len(c.Hosts), need, need))
	}
}

// acceptsListener tells why no connection can be accepted, such as for lack of open files. net/http tries
// again, and tells nobody.
type acceptsListener struct {
	net.Listener
	failed func(error)
}

func (l acceptsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.failed(err)
	}
	return conn, err
}

// noteAcceptTrouble notes why the leader cannot accept connections. It warns once.
func (k *roster) noteAcceptTrouble(err error) {
	k.mu.Lock()
	defer k.unlockAndWarn()
	if k.acceptTrouble == "" {
		k.acceptTrouble = k.config.oneLine(err.Error())
		if errors.Is(err, syscall.EMFILE) {
			k.acceptTrouble += fmt.Sprintf(" (it may have %d, and needs %d)", FilesLimit(), k.config.filesNeeded())
		}
		k.queueWarning("cannot accept connections of the other hosts: " + k.acceptTrouble)
	}
}
