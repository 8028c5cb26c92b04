package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// serve answers one hello, and returns its answer, which is held back. It answers other requests with a
// refusal, whose status is 4xx, and returns nil.
func (l *leader) serve(c *connection, r *http.Request) *heldAnswer {
	if r.Method != http.MethodPost || r.URL.Path != syncPath {
		why := "this is entrain's rendezvous, which only its peers can use"
		return l.refuse(c, refusal{http.StatusNotFound, why})
	}
	h, err := readHello(http.MaxBytesReader(nil, r.Body, maxHello), l.config)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errCut) {
			status = http.StatusServiceUnavailable
		}
		return l.refuse(c, refusal{status, err.Error()})
	}
	refused := l.identify(l.ctx, h, c.from())
	if refused == nil {
		refused = l.roster.takeHello(h, c.from(), time.Now())
	}
	if refused != nil {
		return l.refuse(c, *refused)
	}
	c.guarded.noteHello(h)
	limit := min(milliseconds(h.Hold), l.config.longestAnswerHold())
	return l.service.hold(limit, func(isDue bool) bool { return l.answerHello(c, h, isDue) })
}

// identify refuses a peer that is not the host that it claims to be. With a cluster key the peer has shown
// the key already. Without one the name of the host must resolve to the address of the peer. The peer may
// try again, since names may resolve late or change.
func (l *leader) identify(ctx context.Context, h *hello, from netip.Addr) *refusal {
	if hosts := l.config.Hosts; !slices.Contains(hosts, h.Host) {
		some := hosts[:min(maxNames, len(hosts))]
		why := fmt.Sprintf("%s at %s is not a host of this job: %v", h.Host, from, some)
		return &refusal{http.StatusForbidden, why}
	}
	if l.config.Key.isSet() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestReadTime)
	defer cancel()
	addrs, err := l.sources.addressesOf(ctx, h.Host, from)
	switch {
	case slices.Contains(addrs, from):
		return nil
	case err != nil:
		why := fmt.Sprintf("%s comes from %s, and on %s that name does not resolve: %v",
			h.Host, from, l.config.leaderHost(), err)
		return &refusal{http.StatusServiceUnavailable, why}
	}
	why := fmt.Sprintf("%s comes from %s, but on %s that name resolves to %v "+
		"(with a cluster key that would not matter)", h.Host, from, l.config.leaderHost(), addrs)
	l.roster.noteRefusal(from, why)
	return &refusal{http.StatusServiceUnavailable, why}
}

// answerHello answers a hello if there is news for its host, or if the answer is due: when a further hello
// arrives behind it, or at the end of the hold that the hello asks for. The only news for a host that has
// ended is what settles its end. It returns whether it has answered.
func (l *leader) answerHello(c *connection, h *hello, isDue bool) bool {
	if !isDue && h.Ended == nil && !l.roster.hasNews(h.Seen) {
		return false // without a view, which looks at all hosts before the release
	}
	v, _ := l.roster.viewFor(h)
	isNews := v.Seq > h.Seen
	if h.Ended != nil {
		isNews = v.settles(h.Ended, l.config) || isNews && v.Restarts > h.Restarts
	}
	if !isDue && !isNews {
		return false
	}
	l.roster.noteAnswer(h, time.Now())
	c.respond(http.StatusOK, l.roster.encode(v), false)
	return true
}

// announceNews answers the held hellos at each change, until ctx ends.
func (l *leader) announceNews(ctx context.Context) {
	for {
		changed := l.roster.nextChange()
		l.service.announce()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// hasNews reports whether there was a change after one that a host has seen.
func (k *roster) hasNews(seen int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seq > seen
}

// nextChange is closed at the next change.
func (k *roster) nextChange() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// refuse answers with a refusal, after which the connection is closed. It also notes the refusal here, unless
// the peer is to try again. It returns nil.
func (l *leader) refuse(c *connection, r refusal) *heldAnswer {
	c.guarded.noteHello(nil)
	if r.status != http.StatusServiceUnavailable {
		l.roster.noteRefusal(c.from(), r.why)
	}
	body, _ := json.Marshal(view{Refused: r.why}) // never fails for a string
	c.respond(r.status, body, true)
	return nil
}
