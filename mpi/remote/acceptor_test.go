package remote

import (
	"net"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// fullListener is a listener that lacks open files until it is closed.
type fullListener struct{ closed chan struct{} }

func (l fullListener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
		return nil, syscall.EMFILE
	}
}
func (l fullListener) Close() error   { close(l.closed); return nil }
func (l fullListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestAcceptThatFailsIsToldOnce: the first error of an Accept is told, and the acceptor goes on.
func TestAcceptThatFailsIsToldOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	told := make(chan error, 8)
	a := acceptor{trouble: func(err error) { told <- err }}
	a.start(fullListener{make(chan struct{})}, func(net.Conn) { t.Error("a connection") })
	if err := <-told; err != syscall.EMFILE { //nolint:errorlint // it is what the listener gave
		t.Errorf("told %v", err)
	}
	a.tellTrouble(syscall.ENFILE)
	a.Close()
	if len(told) > 0 {
		t.Errorf("told again: %v", <-told)
	}
}
