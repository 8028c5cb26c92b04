package rendezvous

import (
	"context"
	"crypto/tls"
	"io"
	"log" //nolint:depguard // net/http wants one
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"entrain/hostwait"
)

// leader is the server, and the leader's own line to it.
type leader struct {
	c       *Config
	k       *cluster
	server  *http.Server
	sources sources
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// Bounds for whoever connects.
const (
	maxHeader = 8 << 10 // bytes
	strangers = 128     // connections that have not shown yet that they belong to a host
)

func listen(c *Config) (*leader, error) {
	ctx, stop := context.WithCancel(context.Background())
	l := &leader{c: c, k: newCluster(c), stop: stop, sources: sources{lookup: c.Lookup}}
	outer, err := l.accept(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	l.server = &http.Server{
		Handler: l, ConnContext: withConnection, ReadTimeout: requestReadTime, MaxHeaderBytes: maxHeader,
		WriteTimeout: max(answerHoldBeforeRelease, c.answerHold()) + answerWriteTime, IdleTimeout: c.idleBound(),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	l.work.Go(func() {
		_ = l.server.Serve(outer) // until close
	})
	l.work.Go(func() { l.watch(ctx) })
	return l, nil
}

// accept listens for the other hosts, with TLS where there is a cluster key.
func (l *leader) accept(ctx context.Context) (net.Listener, error) {
	var config *tls.Config
	if l.c.Key.there() {
		var err error
		if config, err = l.c.Key.server(l.c.Job); err != nil {
			return nil, err
		}
	}
	inner, err := l.c.listener(ctx)
	if err != nil {
		return nil, err
	}
	guarded := newGuard(inner, strangers+len(l.c.Hosts), l.k.broke)
	if config == nil {
		return guarded, nil
	}
	return &secureListener{guarded, config, l.refuseKey}, nil
}

// refuseKey notes that a peer could not show this cluster's key.
func (l *leader) refuseKey(conn net.Conn, err error) {
	l.k.remember(addrOf(conn.RemoteAddr()), "came without this cluster's key: "+oneLine(err.Error()))
}

// watch looks for lost hosts.
func (l *leader) watch(ctx context.Context) {
	ticker := time.NewTicker(l.c.lossCheckPause())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			l.k.miss(now)
		}
	}
}

// stay returns when all others have gone or are lost, or ctx ends. Those who never came are waited for until lingering ends.
func (l *leader) stay(ctx, lingering context.Context) {
	ticker := time.NewTicker(departurePause)
	defer ticker.Stop()
	for !l.k.left(lingering.Err() == nil) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// close lets the last answers out.
func (l *leader) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	l.stop()
	l.work.Wait()
}

// exchange is the leader's word with itself. When ctx ends it answers at once.
func (l *leader) exchange(ctx context.Context, h *hello, _ func(error)) (view, error) {
	if r := l.k.hear(h, netip.Addr{}, time.Now()); r != nil {
		return view{}, &RefusedError{By: l.c.leader(), Why: r.why}
	}
	for {
		v, news := l.k.see(h)
		if v.Seq > h.Seen {
			return v, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			v, _ = l.k.see(h)
			return v, nil
		}
	}
}

func (l *leader) missing() []hostwait.Missing {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.k.missing(len(l.c.Hosts))
}
