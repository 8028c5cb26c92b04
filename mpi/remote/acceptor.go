package remote

import (
	"context"
	"errors"
	"net"
	"sync"
)

// acceptor takes connections at a listener, and serves them until Close. A Server and a Local each have one.
type acceptor struct {
	listener net.Listener
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	// work counts the goroutines that Close waits for. Only such goroutines may start others: then no Add comes
	// beside the Wait of Close while the counter is 0.
	work sync.WaitGroup
	// trouble is called once, with the first error of an Accept. It may be nil.
	trouble     func(error)
	troubleTold sync.Once
}

func (a *acceptor) tellTrouble(err error) {
	if a.trouble != nil {
		a.troubleTold.Do(func() { a.trouble(err) })
	}
}

// start gives each connection to admit, until Close. admit must not block.
func (a *acceptor) start(listener net.Listener, admit func(net.Conn)) {
	a.listener = listener
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.work.Go(func() {
		for {
			conn, err := listener.Accept()
			switch {
			case err == nil:
				admit(conn)
			case a.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
				return
			default: // such as too many open files, which may pass
				a.tellTrouble(err)
				a.pause()
			}
		}
	})
}

func (a *acceptor) pause() {
	ctx, cancel := context.WithTimeout(a.ctx, acceptPause)
	defer cancel()
	<-ctx.Done()
}

// handle runs serve in a goroutine. It closes the connection when serve returns, and at Close.
func (a *acceptor) handle(conn net.Conn, serve func()) {
	a.work.Go(func() {
		defer func() { _ = conn.Close() }()
		defer context.AfterFunc(a.ctx, func() { _ = conn.Close() })()
		serve()
	})
}

// Close closes the listener and all connections, and waits until everything that runs for them has ended. A
// Server kills its daemons. The contexts of a Local's calls end. Ranks take it for permission to end.
func (a *acceptor) Close() {
	a.cancel()
	_ = a.listener.Close()
	a.work.Wait()
}
