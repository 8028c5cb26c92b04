package rendezvous

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Diagnose says in plain words what the error of a connection to a host most likely means. who is the subject
// of the sentence: an address, or "it". A host that has answered before has started, and no rule of the
// network separates this host from it. Only that host or the network can then have failed.
func Diagnose(err error, who string, everAnswered bool) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	var timeout net.Error
	isTimeout := errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
	isUnreachable := errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
	isClosed := errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case isRefused(err) && everAnswered:
		return who + " refuses connections: entrain has ended there"
	case isRefused(err):
		return who + " refuses connections: entrain has not started there, or has ended, " +
			"or another image runs there"
	case isUnreachable && everAnswered:
		return who + " cannot be reached any more: the host is gone, or the network between"
	case isUnreachable:
		return who + " cannot be reached: no route leads there, or the host is gone"
	case isClosed:
		return who + " closed the connection"
	case isTimeout && everAnswered:
		return who + " does not answer any more: the host is gone, or the network between"
	case isTimeout:
		return who + " does not answer: the port is filtered, as by a security group without a rule that admits " +
			"its own members, or the host is gone"
	default:
		return err.Error()
	}
}

// lossText says that the leader is lost, and why.
func lossText(err error, addr string, silent time.Duration) string {
	return fmt.Sprintf("lost: the leader has not answered for %s (it was there until then): %s",
		silent.Round(time.Second), Diagnose(err, addr, true))
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// lastingReason says why an error will not go away by itself. It is empty if the error may.
func lastingReason(err error) string {
	if errors.Is(err, errOtherKey) {
		return "its cluster key and the one here are different"
	}
	if plain, ok := errors.AsType[*plainError](err); ok {
		return plain.Error()
	}
	return ""
}
