package remote

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// lostError is the error of a peer whose connection has ended, or is about to.
func (p *Pool) lostError(n *peer) error {
	waitAtMost(lossGrace, n.gone)
	select {
	case <-n.gone:
		return &LostError{Host: n.host, Why: p.diagnose(n.err), Unreached: dialledAddress(n.err), From: p.c.Self}
	default:
		return &LostError{Host: n.host, Why: "the session ended without an exit code"}
	}
}

// dialledAddress is the address that could not be dialled; empty for an error of a connection.
func dialledAddress(err error) string {
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "dial" && failed.Addr != nil {
		return failed.Addr.String()
	}
	return ""
}

// diagnose names the most likely cause of a connection's error.
func (p *Pool) diagnose(err error) string {
	isClosed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	// x/crypto/ssh has no types for the errors that two cases know by their texts.
	switch {
	case p.ctx.Err() != nil:
		return "this host ended the connection"
	case isClosed && strings.Contains(err.Error(), "handshake failed"):
		return "it closed the connection before it knew this host; its log may say why"
	case isClosed:
		return "it closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded) && dialledAddress(err) == "":
		return fmt.Sprintf("nothing was heard of it for %s", p.c.silenceTimeout())
	case strings.Contains(err.Error(), "unable to authenticate"):
		return "it refuses this host; its log says why"
	}
	return p.c.Diagnose(err)
}

// waitAtMost returns when something comes from c, or after limit.
func waitAtMost[T any](limit time.Duration, c <-chan T) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	}
}
