package remote

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// door is how others come to a Server, and to a Local.
type door struct {
	l      net.Listener
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// open hands every connection to enter, which does not wait for anything, until Close.
func (d *door) open(l net.Listener, enter func(net.Conn)) {
	d.l = l
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.work.Go(func() {
		for {
			conn, err := l.Accept()
			switch {
			case err == nil:
				enter(conn)
			case d.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
				return
			default: // such as too many open files: it may be better soon
				d.pause()
			}
		}
	})
}

func (d *door) pause() {
	ctx, cancel := context.WithTimeout(d.ctx, 100*time.Millisecond)
	defer cancel()
	<-ctx.Done()
}

// attend serves a connection, which ends with it, or with Close.
func (d *door) attend(conn net.Conn, serve func()) {
	d.work.Go(func() {
		defer func() { _ = conn.Close() }()
		defer context.AfterFunc(d.ctx, func() { _ = conn.Close() })()
		serve()
	})
}

// Close ends the listener and all connections, and waits for what still runs for them: a Server kills its daemons, and
// the context of a Local's calls ends. Ranks take it for a word to leave.
func (d *door) Close() {
	d.cancel()
	_ = d.l.Close()
	d.work.Wait()
}
