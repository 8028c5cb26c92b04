// Package hostwait waits for the other hosts of a cluster.
//
// The platform's page says that host names may not resolve at once, and asks for retries. The toolkit asks for one host
// after the other, up to 15 minutes each, and sleeps up to 30 seconds between two questions. This package asks for all
// hosts at once, for each at least once a second, under one deadline.
package hostwait

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Probe asks once whether a host is present. Its error says why the host is not.
type Probe func(ctx context.Context, host string) error

// Options bound a wait.
type Options struct {
	Timeout time.Duration // for all hosts together
	// Hint is a second probe beside the first: it answers quickly where the first may take long. Nobody is told its
	// errors. It may be nil.
	Hint Probe
	// Progress is called with the missing hosts after 1, 2, 5, 10, 30, 60 s and then every 30 s. It may be nil.
	Progress func(elapsed time.Duration, missing []Missing)
}

// Missing is a host that has not answered, and why.
type Missing struct {
	Host string
	Err  error // of the last probe; nil while the first one runs
}

func (m Missing) String() string {
	if m.Err == nil {
		return m.Host + " (no answer yet)"
	}
	return fmt.Sprintf("%s (%v)", m.Host, m.Err)
}

// UnavailableError is the error of a wait that reached its deadline.
type UnavailableError struct {
	Missing []Missing // in the order of the hosts, at least one
	Of      int       // how many hosts were waited for
	Elapsed time.Duration
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%d of %d hosts missing after %s: %s",
		len(e.Missing), e.Of, e.Elapsed.Round(100*time.Millisecond), Names(e.Missing))
}

// maxNamed is how many missing hosts are named: with hundreds of them a line would be too long to read.
const maxNamed = 10

// Names names missing hosts and the reasons in one line. Of many it names the first ten, and says how many more there are.
func Names(missing []Missing) string {
	var names []string
	for _, m := range missing[:min(len(missing), maxNamed)] {
		names = append(names, m.String())
	}
	text := strings.Join(names, ", ")
	if more := len(missing) - len(names); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// All returns nil as soon as probe, or the hint, has succeeded once for every host; an *UnavailableError at the
// deadline; and the cause of ctx when that ends first.
func All(ctx context.Context, probe Probe, hosts []string, o Options) error {
	start := time.Now()
	deadline, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	w := waiting{left: make(map[string]error, len(hosts))}
	for _, h := range hosts {
		w.left[h] = nil
	}
	var probes, progress sync.WaitGroup
	for _, h := range hosts {
		one, found := context.WithCancel(deadline)
		defer found()
		probes.Go(func() { w.retry(one, probe, h, found) })
		if o.Hint != nil {
			probes.Go(func() { w.retryHint(one, o.Hint, h, found) })
		}
	}
	if o.Progress != nil {
		progress.Go(func() {
			Often(deadline, start, func(elapsed time.Duration) { o.Progress(elapsed, w.missing(hosts)) })
		})
	}
	probes.Wait()
	cancel()
	progress.Wait()

	missing := w.missing(hosts)
	switch {
	case len(missing) == 0:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return &UnavailableError{Missing: missing, Of: len(hosts), Elapsed: time.Since(start)}
	}
}

// waiting is who has not answered yet, and the last error of each.
type waiting struct {
	mu   sync.Mutex
	left map[string]error
}

func (w *waiting) retry(ctx context.Context, probe Probe, host string, found context.CancelFunc) {
	_ = backoff.Retry(func() error { // the last error is in w.left
		err := probe(ctx, host)
		w.note(ctx, host, err, found)
		return err
	}, backoff.WithContext(everySecond(), ctx))
}

func (w *waiting) retryHint(ctx context.Context, hint Probe, host string, found context.CancelFunc) {
	_ = backoff.Retry(func() error { // its errors are not told
		err := hint(ctx, host)
		if err == nil {
			w.note(ctx, host, nil, found)
		}
		return err
	}, backoff.WithContext(everySecond(), ctx))
}

func (w *waiting) note(ctx context.Context, host string, err error, found context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, waited := w.left[host]
	switch {
	case err == nil:
		delete(w.left, host)
		found()
	case waited && ctx.Err() == nil: // else it only says that the wait is over
		w.left[host] = err
	}
}

// everySecond grows from 50 ms to at most one second, with jitter, for ever: the deadline is the context's.
func everySecond() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = shortestProbePause
	b.RandomizationFactor = probeJitter
	b.MaxInterval = longestProbePause
	b.MaxElapsedTime = 0 // the package's own limit of 15 minutes is not ours
	return b
}

func (w *waiting) missing(hosts []string) []Missing {
	w.mu.Lock()
	defer w.mu.Unlock()
	var missing []Missing
	for _, h := range hosts {
		if err, left := w.left[h]; left {
			missing = append(missing, Missing{Host: h, Err: err})
		}
	}
	return missing
}

// Often tells how long it is since start, first after a second, then less and less often, until ctx ends.
func Often(ctx context.Context, start time.Time, tell func(elapsed time.Duration)) {
	for _, after := range []time.Duration{1, 2, 5, 10, 30, 60} {
		if !Pause(ctx, time.Until(start.Add(after*time.Second))) {
			return
		}
		tell(after * time.Second)
	}
	for after := time.Minute + progressPause; Pause(ctx, time.Until(start.Add(after))); after += progressPause {
		tell(after)
	}
}
