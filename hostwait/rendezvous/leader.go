package rendezvous

import (
	"context"
	"encoding/json"
	"fmt"
	"log" //nolint:depguard // net/http wants one
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
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

// Deadlines for whoever comes; a host needs milliseconds.
const (
	readTime  = 5 * time.Second // for a request, and for the TLS handshake
	writeTime = 5 * time.Second // beyond the hold
	maxHeader = 8 << 10         // bytes
	strangers = 128             // connections that have not shown yet that they belong to a host
)

func listen(c *Config) (*leader, error) {
	debug.SetGCPercent(25) // of a thousand hosts' TLS handshakes the garbage is more than what is kept: 80 MiB without, 57 with
	ctx, stop := context.WithCancel(context.Background())
	l := &leader{c: c, k: newCluster(c), stop: stop, sources: sources{lookup: c.Lookup}}
	inner, err := c.listener(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	l.server = &http.Server{
		Handler: l, ReadTimeout: readTime, MaxHeaderBytes: maxHeader,
		WriteTimeout: max(gatherHold, c.hold()) + writeTime, IdleTimeout: 2 * c.PeerTimeout,
		ErrorLog: log.New(handshakes{l.k}, "", 0),
	}
	guarded := newGuard(inner, strangers+len(c.Hosts), l.k.broke)
	l.server.ConnContext = guarded.context
	l.work.Go(func() {
		if c.Key.there() {
			l.server.TLSConfig = c.Key.server(c.Job)
			_ = l.server.ServeTLS(guarded, "", "") // until close
			return
		}
		_ = l.server.Serve(guarded)
	})
	l.work.Go(func() { l.watch(ctx) })
	return l, nil
}

// watch looks for lost hosts.
func (l *leader) watch(ctx context.Context) {
	ticker := time.NewTicker(l.c.PeerTimeout / 30)
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
	ticker := time.NewTicker(20 * time.Millisecond)
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
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

// ServeHTTP answers one hello.
func (l *leader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := addrOf(r.RemoteAddr)
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
	hold := time.NewTimer(min(milliseconds(h.Hold), max(gatherHold, l.c.hold())))
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

func addrOf(text string) netip.Addr {
	at, _ := netip.ParseAddrPort(text) // net/http made it
	return at.Addr().Unmap()
}

// handshakes hears of TLS handshakes that failed: net/http tells only its log.
type handshakes struct{ k *cluster }

func (w handshakes) Write(line []byte) (int, error) {
	if rest, ok := strings.CutPrefix(string(line), "http: TLS handshake error from "); ok {
		from, why, _ := strings.Cut(rest, ": ")
		if strings.HasSuffix(why, "EOF\n") || strings.Contains(why, "connection reset") || strings.Contains(why, "timeout") {
			return len(line), nil // who went away has shown no key, nor another one
		}
		w.k.remember(addrOf(from), "came without this cluster's key: "+strings.TrimSpace(why))
	}
	return len(line), nil
}

// sources remembers where hosts come from, for a while.
type sources struct {
	lookup hostwait.Lookup
	mu     sync.Mutex
	known  map[string]source
}

type source struct {
	addrs []netip.Addr
	until time.Time
}

// of gives a host's addresses, asked anew where they do not hold the one that is looked for.
func (s *sources) of(ctx context.Context, host string, from netip.Addr) ([]netip.Addr, error) {
	s.mu.Lock()
	known, ok := s.known[host]
	s.mu.Unlock()
	if ok && time.Now().Before(known.until) && slices.Contains(known.addrs, from) {
		return known.addrs, nil
	}
	addrs, err := s.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]source{}
	}
	s.known[host] = source{addrs: addrs, until: time.Now().Add(time.Minute)}
	return addrs, nil
}
