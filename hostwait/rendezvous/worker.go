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
	again        bool      // the present hello was said before, and the answer did not come
	broken       bool      // the connection broke before the next answer was due
	told         time.Time // when the end of this host went over a standing connection first; zero before
	undecided    bool      // the last answer said that a failure is known
	everAnswered bool      // the leader has answered a hello
	trouble      func(error)

	mu       sync.Mutex // a dial may go on after its request has ended
	lastAddr string     // where the leader was found last, with the port; empty before
	reached  bool       // the leader has answered
	dials    int        // the attempts to connect since the last answer
}

func newWorker(c *Config) (*worker, error) {
	address := net.JoinHostPort(c.leaderHost(), strconv.Itoa(c.Port))
	w := &worker{config: c, lastAnswer: time.Now(), pipeline: newPipeline(c)}
	w.url = "http://" + address + syncPath
	w.pipeline.dial, w.pipeline.handshake = w.dial, c.answerDelay()
	w.pipeline.heard, w.pipeline.fill = w.noteAnswer, w.fill
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
		Backoff:      w.retryPause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return w, nil
}

// retryPause returns the pause after a failed try. It varies at random, so that the hosts do not all come
// at once.
func (w *worker) retryPause(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
	pause := shortestRetryPause << min(attempt, retryPauseDoublings)
	if w.config.Vary != nil {
		return pause + w.config.Vary(pause/4)
	}
	return pause + rand.N(pause/4) //nolint:gosec // nobody gains anything by guessing it
}

func (w *worker) close() { w.pipeline.close() }

// noteAnswer notes that the leader has answered.
func (w *worker) noteAnswer() {
	w.lastAnswer, w.broken = time.Now(), false
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached, w.dials = true, 0
}

func (w *worker) exchange(ctx context.Context, h *hello, trouble func(error)) (view, error) {
	w.hello, w.trouble, w.lastTry, w.again = h, trouble, time.Now(), false
	w.setPatience()
	w.pipeline.sent = time.Time{}
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, w.url, nil)
	if err != nil {
		return view{}, err
	}
	answer, err := w.client.Do(request)
	w.noteTold()
	if err != nil {
		return view{}, err
	}
	defer answer.Body.Close()
	v, err := readView(answer, w.config)
	if err == nil {
		w.noteAnswer()
		w.everAnswered, w.undecided = true, v.Undecided
	}
	return v, err
}

// noteTold notes whether the end of this host was told.
func (w *worker) noteTold() {
	if w.told.IsZero() && w.hello.Ended != nil {
		w.told = w.pipeline.sent
	}
}

// fill puts the present hello into a request, by the clock of now. A hello that is said much later than it
// was made would otherwise look as if the network had held it up. An answer is due at once where the one
// before did not come.
func (w *worker) fill(request *http.Request) error {
	h := w.hello.at(time.Now())
	if w.again {
		h.Hold = 0
	}
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	body = append(body, '\n')
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
	if plain, ok := errors.AsType[*plainError](err); ok && plain.first != nil {
		first := plain.first
		text := w.config.oneLine(first.Text)
		return false, &PeerError{Host: first.Host, Code: failureCode(first.Code), Text: text}
	}
	if why := lastingReason(err); why != "" {
		return false, &RefusedError{By: w.config.leaderHost(), Why: why}
	}
	w.trouble(errors.New(w.config.oneLine(Diagnose(err, w.lastAddress(), w.everAnswered))))
	w.noteTold()
	w.broken = w.broken || time.Now().Before(w.due())
	if w.hello.released && time.Since(w.silentSince()) >= w.config.PeerTimeout {
		text := lossText(err, w.lastAddress(), time.Since(w.lastAnswer))
		return false, &PeerError{Host: w.config.leaderHost(), Code: CodeLost, Text: w.config.oneLine(text)}
	}
	if w.hello.Bye && isRefused(err) {
		return false, err
	}
	w.again = true
	w.setPatience()
	return true, nil
}

// stands reports whether an end stands although the leader counts as lost, or another program has taken its
// place. A good end stands once it was told over a standing connection, if no failure was known: whatever the
// network does then is no failure of this host. A failure stands if the leader has answered after it, and so
// was no reason for it.
func (w *worker) stands(end *End, _ error) bool {
	if end.Code == 0 {
		return !w.told.IsZero() && !w.undecided
	}
	return w.lastAnswer.After(end.At.Add(earlierFailureWait))
}

// due is when the next answer must have come, if the network carries it.
func (w *worker) due() time.Time {
	return w.lastAnswer.Add(w.config.answerHold() + w.config.wordDelay())
}

// silentSince returns from when on the silence of the leader counts: its last word, or the moment at which
// the next one was due. A good end that was told gives the leader PeerTimeout anew, to say that it counts.
func (w *worker) silentSince() time.Time {
	since := w.due()
	if w.broken {
		since = w.lastAnswer
	}
	if w.hello.Ended != nil && w.hello.Ended.Code == 0 && !w.undecided && w.told.After(since) {
		return w.told
	}
	return since
}

// setPatience bounds the wait for the next answer. It ends with the time after which the leader counts as
// lost, but is never shorter than a try needs.
func (w *worker) setPatience() {
	patience := w.config.answerDelay()
	if !w.again {
		patience += milliseconds(w.hello.Hold)
	}
	if w.hello.released {
		left := w.config.PeerTimeout - time.Since(w.silentSince())
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
