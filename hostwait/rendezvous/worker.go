package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// worker is a host's line to a leader elsewhere.
type worker struct {
	c       *Config
	client  *retryablehttp.Client
	url     string
	heard   time.Time // when it answered last
	refused time.Time // since when it refuses connections; zero while it does not
	joined  bool
	met     bool // it has answered
	trouble func(error)

	mu   sync.Mutex // a dial goes on when the request that asked for it is given up
	addr string     // where the leader was found last
}

func dial(c *Config) (*worker, error) {
	w := &worker{c: c, heard: time.Now(), url: "http://" + net.JoinHostPort(c.leader(), strconv.Itoa(c.Port)) + path}
	transport := &http.Transport{
		DialContext:           w.dial,
		TLSHandshakeTimeout:   c.answerHold(),
		ResponseHeaderTimeout: c.answerWait(),
		MaxIdleConnsPerHost:   1,
		DisableCompression:    true,
	}
	if c.Key.there() {
		w.url = "https" + w.url[len("http"):]
		var err error
		if transport.TLSClientConfig, err = c.Key.client(c.Job); err != nil {
			return nil, err
		}
	}
	w.client = &retryablehttp.Client{
		HTTPClient: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		RetryMax:   1 << 30, // until again says that there is no hope
		CheckRetry: w.again,
		Backoff: func(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
			pause := shortestRetryPause << min(attempt, retryPauseDoublings)
			return pause + rand.N(pause/4) //nolint:gosec // so that the hosts do not come all at once; nobody gains by guessing it
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return w, nil
}

func (w *worker) close() { w.client.HTTPClient.CloseIdleConnections() }

// dial connects to the leader, wherever its name leads now; where that does not resolve, to where it was.
func (w *worker) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	found, cancel := context.WithCancel(ctx)
	addr := w.where()
	if addr != "" {
		cancel()
		found, cancel = context.WithTimeout(ctx, w.c.answerHold()) // a name server that is gone as well must not hide that the leader is
	}
	addrs, err := w.c.Lookup(found, w.c.leader())
	cancel()
	switch {
	case err == nil:
		addr = net.JoinHostPort(addrs[0].String(), strconv.Itoa(w.c.Port))
		w.mu.Lock()
		w.addr = addr
		w.mu.Unlock()
	case addr == "":
		return nil, fmt.Errorf("its name does not resolve: %w", err)
	}
	dialer := net.Dialer{Timeout: w.c.reconnectGrace(), LocalAddr: w.c.local}
	return dialer.DialContext(ctx, network, addr)
}

// where is where the leader was found last.
func (w *worker) where() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addr
}

func (w *worker) exchange(ctx context.Context, h *hello, trouble func(error)) (view, error) {
	w.joined, w.trouble = h.joined, trouble
	body, err := json.Marshal(h)
	if err != nil {
		return view{}, err
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, w.url, body)
	if err != nil {
		return view{}, err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return view{}, err
	}
	defer answer.Body.Close()
	v, err := readView(answer, w.c)
	if err == nil {
		w.heard, w.refused, w.met = time.Now(), time.Time{}, true
	}
	return v, err
}

// readView reads an answer that is no reason to try again.
func readView(answer *http.Response, c *Config) (view, error) {
	var v view
	data, err := io.ReadAll(io.LimitReader(answer.Body, int64(maxHello+1024*len(c.Hosts))))
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	switch {
	case v.Refused != "":
		return v, &RefusedError{By: c.leader(), Why: oneLine(v.Refused)}
	case err != nil || answer.StatusCode != http.StatusOK:
		return v, &RefusedError{By: c.leader(), Why: fmt.Sprintf("another program than entrain listens on its port %d (HTTP status %d)", c.Port, answer.StatusCode)}
	}
	return v, nil
}

// again says whether to try once more: always before the release, since the others may not be there yet, and
// after that until the leader is lost.
func (w *worker) again(ctx context.Context, answer *http.Response, err error) (bool, error) {
	now := time.Now()
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err == nil && answer.StatusCode != http.StatusServiceUnavailable:
		return false, nil
	case err == nil:
		_, err = readView(answer, w.c)
	}
	if why := noHope(err); why != "" {
		return false, &RefusedError{By: w.c.leader(), Why: why}
	}
	w.trouble(errors.New(diagnose(err, w.where(), w.met)))
	switch {
	case !isRefused(err):
		w.refused = time.Time{}
	case w.refused.IsZero():
		w.refused = now
	}
	silent := now.Sub(w.heard)
	if w.joined && (silent > w.c.silenceBound() || !w.refused.IsZero() && now.Sub(w.refused) > w.c.reconnectGrace()) {
		return false, &PeerError{Host: w.c.leader(), Code: CodeLost, Text: lost(err, w.where(), silent)}
	}
	return true, nil
}
