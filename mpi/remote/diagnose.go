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

// lostError is the error of a peer that is gone.
func (p *Pool) lostError(n *peer) error {
	lost := &LostError{Host: n.host, Why: p.diagnose(n.err)}
	if _, isSilent := errors.AsType[*silenceError](n.err); !isSilent {
		lost.Unreached, lost.From = dialledAddress(n.err), p.c.Self
	}
	return lost
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
	silent, isSilent := errors.AsType[*silenceError](err)
	isClosed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	// x/crypto/ssh has no types for the errors that two cases know by their texts.
	switch {
	case p.ctx.Err() != nil:
		return "this host ended the connection"
	case errors.Is(err, errHasEnded):
		return errHasEnded.Error()
	case isSilent && errors.Is(silent.err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("nothing was heard of it for %s", silent.silence)
	case isSilent:
		return fmt.Sprintf("nothing was heard of it for %s: %s", silent.silence, p.c.Diagnose(silent.err, true))
	case isClosed && strings.Contains(err.Error(), "handshake failed"):
		return "it closed the connection before it knew this host; its log may say why"
	case isClosed:
		return "it closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded) && dialledAddress(err) == "":
		return fmt.Sprintf("nothing was heard of it for %s", p.c.PeerTimeout)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return "it refuses this host; its log says why"
	}
	return p.c.Diagnose(err, false)
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
