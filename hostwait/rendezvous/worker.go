package rendezvous

import (
	"bytes"
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
	pipeline     *pipeline
	url          string
	lastAnswer   time.Time // of the leader, or the start of this host
	lastTry      time.Time // the end of the last try
	hello        *hello    // the present one
	told         bool      // a hello with the end of this host went over a standing connection
	everAnswered bool      // the leader has answered a hello
	trouble      func(error)

	mu       sync.Mutex // a dial may go on after its request has ended
	lastAddr string     // where the leader was found last, with the port; empty before
}

func newWorker(c *Config) (*worker, error) {
	address := net.JoinHostPort(c.leaderHost(), strconv.Itoa(c.Port))
	w := &worker{config: c, lastAnswer: time.Now(), url: "http://" + address + syncPath, pipeline: newPipeline()}
	w.pipeline.dial, w.pipeline.handshake = w.dial, c.answerDelay()
	w.pipeline.heard = func() { w.lastAnswer = time.Now() }
	w.pipeline.maxBody = int64(maxHello + 1024*len(c.Hosts))
	if c.Key.isSet() {
		w.url = "https://" + address + syncPath
		var err error
		if w.pipeline.tls, err = c.Key.clientTLS(c.Job); err != nil {
			return nil, err
		}
	}
	followNone := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: w.pipeline, CheckRedirect: followNone},
		RetryMax:     1 << 30, // shouldRetry ends the tries
		CheckRetry:   w.shouldRetry,
		PrepareRetry: w.fill,
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

func (w *worker) close() { w.pipeline.close() }

// dial connects to the address to which the leader's name resolves now. Where the name does not resolve any
// more, it connects to the last known address.
func (w *worker) dial(ctx context.Context) (net.Conn, error) {
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
	ctx, cancel = context.WithTimeout(ctx, w.config.connectTime())
	defer cancel()
	if w.config.Dial != nil {
		return w.config.Dial(ctx, "tcp", addr)
	}
	return (&net.Dialer{LocalAddr: w.config.localAddr}).DialContext(ctx, "tcp", addr)
}

func (w *worker) lastAddress() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastAddr
}

func (w *worker) exchange(ctx context.Context, h *hello, trouble func(error)) (view, error) {
	w.hello, w.trouble, w.lastTry = h, trouble, time.Now()
	w.setPatience()
	w.pipeline.sent = false
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, w.url, nil)
	if err == nil {
		err = w.fill(request.Request)
	}
	if err != nil {
		return view{}, err
	}
	answer, err := w.client.Do(request)
	w.told = w.told || h.Ended != nil && w.pipeline.sent
	if err != nil {
		return view{}, err
	}
	defer answer.Body.Close()
	v, err := readView(answer, w.config)
	if err == nil {
		w.lastAnswer, w.everAnswered = time.Now(), true
	}
	return v, err
}

// fill puts the present hello into a request, by the clock of now. A hello that is said again much later
// would otherwise look as if the clock of this host had been set.
func (w *worker) fill(request *http.Request) error {
	body, err := json.Marshal(w.hello.at(time.Now()))
	if err != nil {
		return err
	}
	body = append(body, '\n') // see arrivals
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

// readView reads an answer of the leader. It returns a *RefusedError if the leader refuses this host, or if
// the answer is not one of entrain.
func readView(answer *http.Response, c *Config) (view, error) {
	var v view
	data, err := io.ReadAll(answer.Body)
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
// may start late. After the release it is true until the leader counts as lost: until nothing was heard of
// it for PeerTimeout, whatever took the place of an answer. A goodbye is not said to a leader that has ended.
func (w *worker) shouldRetry(ctx context.Context, answer *http.Response, err error) (bool, error) {
	w.forgiveStandstill()
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
	w.trouble(errors.New(w.config.oneLine(Diagnose(err, w.lastAddress(), w.everAnswered))))
	silent := time.Since(w.lastAnswer)
	if w.hello.released && silent >= w.config.PeerTimeout {
		text := lossText(err, w.lastAddress(), silent)
		return false, &PeerError{Host: w.config.leaderHost(), Code: CodeLost, Text: w.config.oneLine(text)}
	}
	if w.hello.Bye && isRefused(err) {
		return false, err
	}
	w.setPatience()
	return true, nil
}

// stands reports whether an end stands although the leader counts as lost, or another program has taken its
// place. A good end stands once it was told over a standing connection: whatever the network does then is no
// failure of this host. A failure stands if the leader has answered after it, and so was no reason for it.
func (w *worker) stands(end *End, _ error) bool {
	if end.Code == 0 {
		return w.told
	}
	return w.lastAnswer.After(end.At.Add(earlierFailureWait))
}

// setPatience bounds the wait for the next answer. It ends with the time after which the leader counts as
// lost, but is never shorter than a try needs.
func (w *worker) setPatience() {
	patience := milliseconds(w.hello.Hold) + w.config.answerDelay()
	if w.hello.released {
		left := w.config.PeerTimeout - time.Since(w.lastAnswer)
		patience = min(patience, max(left, w.config.connectTime()))
	}
	w.pipeline.patience = patience
}

// forgiveStandstill moves the last answer by the time in which this process stood still, such as in a
// container that is paused. What the leader said meanwhile is not read yet.
func (w *worker) forgiveStandstill() {
	longest := w.config.longestTry(w.pipeline.patience)
	if late := time.Since(w.lastTry) - longest; late > standstill {
		w.lastAnswer = w.lastAnswer.Add(late)
	}
	w.lastTry = time.Now()
}
