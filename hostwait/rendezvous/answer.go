package rendezvous

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// ServeHTTP answers one hello.
func (l *leader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := cameFrom(r.Context())
	if r.Method != http.MethodPost || r.URL.Path != path {
		l.refuse(r.Context(), w, from, refusal{http.StatusNotFound, "this is entrain's rendezvous, which only its peers can use"})
		return
	}
	h, err := readHello(http.MaxBytesReader(w, r.Body, maxHello))
	if err != nil {
		l.refuse(r.Context(), w, from, refusal{http.StatusBadRequest, err.Error()})
		return
	}
	why := l.identify(r.Context(), h, from)
	if why == nil {
		why = l.k.hear(h, from, time.Now())
	}
	if why != nil {
		l.refuse(r.Context(), w, from, *why)
		return
	}
	admit(r.Context(), h)
	l.answer(r.Context(), w, h)
}

// identify refuses a host that cannot be who it says it is. A cluster key has shown it already, else its address must;
// names may be late to resolve, or change, so that this may be right later.
func (l *leader) identify(ctx context.Context, h *hello, from netip.Addr) *refusal {
	if !slices.Contains(l.c.Hosts, h.Host) {
		return &refusal{http.StatusForbidden, fmt.Sprintf("%s at %s is not a host of this job: %v", h.Host, from, l.c.Hosts[:min(maxNames, len(l.c.Hosts))])}
	}
	if l.c.Key.there() {
		return nil
	}
	addrs, err := l.sources.of(ctx, h.Host, from)
	switch {
	case slices.Contains(addrs, from):
		return nil
	case err != nil:
		return &refusal{http.StatusServiceUnavailable, fmt.Sprintf("%s comes from %s, and on %s that name does not resolve: %v", h.Host, from, l.c.leader(), err)}
	}
	why := fmt.Sprintf("%s comes from %s, but on %s that name resolves to %v (with a cluster key that would not matter)", h.Host, from, l.c.leader(), addrs)
	l.k.remember(from, why)
	return &refusal{http.StatusServiceUnavailable, why}
}

// answer waits for news and tells them.
func (l *leader) answer(ctx context.Context, w http.ResponseWriter, h *hello) {
	hold := time.NewTimer(min(milliseconds(h.Hold), max(answerHoldBeforeRelease, l.c.answerHold())))
	defer hold.Stop()
	for held := true; ; {
		v, news := l.k.see(h)
		if !held || v.Seq > h.Seen && (h.Ended == nil || h.Ended.Code == 0 || v.First != nil || v.Stopped != "") {
			write(w, http.StatusOK, l.k.written(v))
			return
		}
		select {
		case <-news:
		case <-hold.C:
			held = false
		case <-ctx.Done():
			l.k.broke(h, time.Now())
			return
		}
	}
}

// refuse says so on both sides.
func (l *leader) refuse(ctx context.Context, w http.ResponseWriter, from netip.Addr, r refusal) {
	admit(ctx, nil)
	if r.status != http.StatusServiceUnavailable {
		l.k.remember(from, r.why)
	}
	w.Header().Set("Connection", "close")
	body, _ := json.Marshal(view{Refused: r.why}) // a string
	write(w, r.status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // who does not get it comes again, or is lost
}

// addrOf is the address of one end of a TCP connection.
func addrOf(end net.Addr) netip.Addr {
	if tcp, ok := end.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
