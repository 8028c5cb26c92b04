package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// ServeHTTP answers one hello. It answers other requests with a refusal, whose status is 4xx.
func (l *leader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	further := takeRequest(r.Context())
	from := cameFrom(r.Context())
	if r.Method != http.MethodPost || r.URL.Path != syncPath {
		why := "this is entrain's rendezvous, which only its peers can use"
		l.refuse(r.Context(), w, from, refusal{http.StatusNotFound, why})
		return
	}
	h, err := readHello(http.MaxBytesReader(w, r.Body, maxHello), l.config)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errCut) {
			status = http.StatusServiceUnavailable
		}
		l.refuse(r.Context(), w, from, refusal{status, err.Error()})
		return
	}
	refused := l.identify(r.Context(), h, from)
	if refused == nil {
		refused = l.roster.takeHello(h, from, time.Now())
	}
	if refused != nil {
		l.refuse(r.Context(), w, from, *refused)
		return
	}
	noteHello(r.Context(), h)
	l.answerHello(r.Context(), w, h, further)
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

// answerHello answers a hello when there is news for its host, when a further hello arrives behind it, or at
// the end of the hold that the hello asks for. The only news for a host that has ended is what settles its
// end.
func (l *leader) answerHello(ctx context.Context, w http.ResponseWriter, h *hello, further <-chan struct{}) {
	hold := time.NewTimer(min(milliseconds(h.Hold), l.config.longestAnswerHold()))
	defer hold.Stop()
	for held := true; ; {
		v, changed := l.roster.viewFor(h)
		isNews := v.Seq > h.Seen
		if h.Ended != nil {
			isNews = v.settles(h.Ended, l.config)
		}
		if !held || isNews {
			l.roster.noteAnswer(h, time.Now())
			write(w, http.StatusOK, l.roster.encode(v))
			return
		}
		select {
		case <-changed:
		case <-further:
			held = false
		case <-hold.C:
			held = false
		case <-ctx.Done():
			l.roster.noteBreak(h, time.Now())
			return
		}
	}
}

// refuse answers with a refusal and closes the connection. It also notes the refusal here, unless the peer
// is to try again.
func (l *leader) refuse(ctx context.Context, w http.ResponseWriter, from netip.Addr, r refusal) {
	noteHello(ctx, nil)
	if r.status != http.StatusServiceUnavailable {
		l.roster.noteRefusal(from, r.why)
	}
	w.Header().Set("Connection", "close")
	body, _ := json.Marshal(view{Refused: r.why}) // never fails for a string
	write(w, r.status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a host that does not get the answer says hello again, or is lost
}
