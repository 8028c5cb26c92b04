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

// worker is a host's link to a leader on another host.
type worker struct {
	config       *Config
	client       *retryablehttp.Client
	url          string
	lastAnswer   time.Time // of the leader, or the start of this host
	refusedSince time.Time // since when the leader refuses connections; zero while it does not
	released     bool      // the host of the present hello has been released
	everAnswered bool      // the leader has answered a hello
	trouble      func(error)

	mu       sync.Mutex // a dial may go on after its request has ended
	lastAddr string     // where the leader was found last, with the port; empty before
}

func newWorker(c *Config) (*worker, error) {
	address := net.JoinHostPort(c.leaderHost(), strconv.Itoa(c.Port))
	w := &worker{config: c, lastAnswer: time.Now(), url: "http://" + address + syncPath}
	transport := &http.Transport{
		DialContext:           w.dial,
		TLSHandshakeTimeout:   c.answerHold(),
		ResponseHeaderTimeout: c.answerWait(),
		MaxIdleConnsPerHost:   1,
		DisableCompression:    true,
	}
	if c.Key.isSet() {
		w.url = "https://" + address + syncPath
		var err error
		if transport.TLSClientConfig, err = c.Key.clientTLS(c.Job); err != nil {
			return nil, err
		}
	}
	followNone := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: transport, CheckRedirect: followNone},
		RetryMax:     1 << 30, // shouldRetry ends the tries
		CheckRetry:   w.shouldRetry,
		Backoff:      retryPause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return w, nil
}

// retryPause returns the pause after a failed try. It varies at random, so that the hosts do not all come
// at once.
func retryPause(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
	pause := shortestRetryPause << min(attempt, retryPauseDoublings)
	return pause + rand.N(pause/4) //nolint:gosec // nobody gains anything by guessing it
}

func (w *worker) close() { w.client.HTTPClient.CloseIdleConnections() }

// dial connects to the address to which the leader's name resolves now. Where the name does not resolve any
// more, it connects to the last known address.
func (w *worker) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	lookup, cancel := context.WithCancel(ctx)
	addr := w.lastAddress()
	if addr != "" {
		// A silent name server must not take the time in which the loss of the leader would be noticed.
		cancel()
		lookup, cancel = context.WithTimeout(ctx, w.config.answerHold())
	}
	addrs, err := w.config.Lookup(lookup, w.config.leaderHost())
	cancel()
	switch {
	case err == nil:
		addr = net.JoinHostPort(addrs[0].String(), strconv.Itoa(w.config.Port))
		w.mu.Lock()
		w.lastAddr = addr
		w.mu.Unlock()
	case addr == "":
		return nil, fmt.Errorf("its name does not resolve: %w", err)
	}
	ctx, cancel = context.WithTimeout(ctx, w.config.reconnectGrace())
	defer cancel()
	return w.config.dial(ctx, network, addr)
}

// dial connects to an address.
func (c *Config) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, network, addr)
	}
	return (&net.Dialer{LocalAddr: c.localAddr}).DialContext(ctx, network, addr)
}

func (w *worker) lastAddress() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastAddr
}

func (w *worker) exchange(ctx context.Context, h *hello, trouble func(error)) (view, error) {
	w.released, w.trouble = h.released, trouble
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
	v, err := readView(answer, w.config)
	if err == nil {
		w.lastAnswer, w.refusedSince, w.everAnswered = time.Now(), time.Time{}, true
	}
	return v, err
}

// readView reads an answer of the leader. It returns a *RefusedError if the leader refuses this host, or if
// the answer is not one of entrain.
func readView(answer *http.Response, c *Config) (view, error) {
	var v view
	data, err := io.ReadAll(io.LimitReader(answer.Body, int64(maxHello+1024*len(c.Hosts))))
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	switch {
	case v.Refused != "":
		return v, &RefusedError{By: c.leaderHost(), Why: c.oneLine(v.Refused)}
	case err != nil || answer.StatusCode != http.StatusOK:
		why := fmt.Sprintf("another program than entrain listens on its port %d (HTTP status %d)",
			c.Port, answer.StatusCode)
		return v, &RefusedError{By: c.leaderHost(), Why: why}
	}
	return v, nil
}

// shouldRetry reports whether to say a hello again. Before the release it is always true, since the leader
// may start late. After the release it is true until the leader counts as lost.
func (w *worker) shouldRetry(ctx context.Context, answer *http.Response, err error) (bool, error) {
	now := time.Now()
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err == nil && answer.StatusCode != http.StatusServiceUnavailable:
		return false, nil
	case err == nil:
		_, err = readView(answer, w.config)
	}
	if why := lastingReason(err); why != "" {
		return false, &RefusedError{By: w.config.leaderHost(), Why: why}
	}
	w.trouble(errors.New(w.config.oneLine(diagnose(err, w.lastAddress(), w.everAnswered))))
	switch {
	case !isRefused(err):
		w.refusedSince = time.Time{}
	case w.refusedSince.IsZero():
		w.refusedSince = now
	}
	silent := now.Sub(w.lastAnswer)
	isGone := !w.refusedSince.IsZero() && now.Sub(w.refusedSince) > w.config.reconnectGrace()
	if w.released && (silent > w.config.silenceBound() || isGone) {
		text := lossText(err, w.lastAddress(), silent)
		return false, &PeerError{Host: w.config.leaderHost(), Code: CodeLost, Text: w.config.oneLine(text)}
	}
	return true, nil
}
