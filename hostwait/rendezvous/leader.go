package rendezvous

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"entrain/hostwait"
)

// leader is the server of the rendezvous, and the leader's own link to it.
type leader struct {
	config   *Config
	roster   *roster
	service  *service
	listener net.Listener
	sources  sources
	ctx      context.Context    // ends at the end of close
	stop     context.CancelFunc // ends ctx
	joined   chan struct{}      // closed when the leader's own first hello is taken
	setOnce  sync.Once          // closes joined
	work     sync.WaitGroup
}

// Bounds for peers, which may be strangers.
const (
	maxHeader    = 8 << 10 // bytes of the header of a request
	maxStrangers = 128     // connections without a valid hello, beyond one for each host
)

// startLeader listens for the other hosts and answers their hellos until close.
func startLeader(c *Config) (*leader, error) {
	ctx, stop := context.WithCancel(context.Background())
	l := &leader{
		config: c, roster: newRoster(c), ctx: ctx, stop: stop, sources: sources{lookup: c.Lookup},
		joined: make(chan struct{}),
	}
	c.warnOfLimit(FilesLimit())
	listener, err := l.listen(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	l.listener, l.service = listener, newService(l.serve)
	l.work.Go(func() { l.service.accept(listener, c.idleBound()+c.longestAnswerHold()) })
	if len(c.Hosts) >= manyHosts {
		debug.SetGCPercent(gcPercent)
	}
	l.work.Go(func() { l.announceNews(ctx) })
	l.work.Go(func() { l.watch(ctx) })
	return l, nil
}

// listen listens for the other hosts, with TLS where there is a cluster key.
func (l *leader) listen(ctx context.Context) (net.Listener, error) {
	var config *tls.Config
	if l.config.Key.isSet() {
		var err error
		if config, err = l.config.Key.serverTLS(l.config.Job); err != nil {
			return nil, err
		}
	}
	listener, err := l.config.listen(ctx)
	if err != nil {
		return nil, err
	}
	listener = acceptsListener{listener, l.roster.noteAcceptTrouble}
	guarded := newGuard(listener, maxStrangers+len(l.config.Hosts), l.roster.noteBreak)
	if config == nil {
		guarded.onTLS = l.noteKey
		return guarded, nil
	}
	return &secureListener{guarded, config, l.config, l.noteRefusedPeer}, nil
}

// watch looks for lost hosts until ctx ends.
func (l *leader) watch(ctx context.Context) {
	ticker := time.NewTicker(l.config.lossCheckPause())
	defer ticker.Stop()
	var given, last crowd
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			l.roster.findLost(now)
			if is := l.roster.crowd(); is == last && is != given && len(l.config.Hosts) >= manyHosts {
				debug.FreeOSMemory() // the handshakes of many hosts at once, and their release, leave much behind
				given = is
			} else {
				last = is
			}
		}
	}
}

// From manyHosts on the leader is careful with memory: it lets the heap grow by gcPercent only until it
// collects garbage, and gives back what it does not use.
const (
	manyHosts = 64
	gcPercent = 25
)

// crowd is what many hosts do at once: they join, or go on after the release.
type crowd struct {
	members    int
	isReleased bool
}

func (k *roster) crowd() crowd {
	k.mu.Lock()
	defer k.mu.Unlock()
	return crowd{len(k.members), k.released > 0}
}

// waitForDepartures returns when all other hosts have left or are lost, or when ctx ends. It waits for
// hosts that never joined until staying ends. A host has left when it has said goodbye. A host that has
// told its end and says nothing more is waited for until PeerTimeout has passed since it said its last word.
func (l *leader) waitForDepartures(ctx, staying context.Context) {
	ticker := time.NewTicker(departurePause)
	defer ticker.Stop()
	for !l.roster.isUnneeded(staying.Err() == nil, time.Now()) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// close ends the server after its last answers.
func (l *leader) close() {
	_ = l.listener.Close()
	l.service.awaitAnswers()
	l.stop()
	l.service.close()
	l.work.Wait()
}

// exchange delivers the leader's own hello without the network. When ctx ends, it answers at once.
func (l *leader) exchange(ctx context.Context, h *hello, _ func(error)) (view, error) {
	if r := l.roster.takeHello(h, netip.Addr{}, time.Now()); r != nil {
		return view{}, &RefusedError{By: l.config.leaderHost(), Why: r.why}
	}
	l.setOnce.Do(func() { close(l.joined) })
	for {
		v, changed := l.roster.viewFor(h)
		if v.Seq > h.Seen {
			return v, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			v, _ = l.roster.viewFor(h)
			return v, nil
		}
	}
}

// stands is false, since the leader's own hellos do not go over the network.
func (l *leader) stands(*End, error) bool { return false }

// missing returns the first hosts for which the others wait, and their number.
func (l *leader) missing() ([]hostwait.Missing, int) {
	l.roster.mu.Lock()
	defer l.roster.mu.Unlock()
	missing, number := l.roster.missingHosts(maxNames)
	return named(missing), number
}
