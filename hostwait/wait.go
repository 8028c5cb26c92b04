// Package hostwait waits until the names of the other hosts of a job resolve.
//
// The documentation of the platform says that host names may not resolve at once, and asks for retries. The
// SageMaker toolkits ask for one host after the other, up to 15 minutes each, and sleep up to 30 seconds
// between two questions. This package asks for all hosts at once, for each host at least once a second, and
// under one deadline.
package hostwait

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Probe asks once whether a host is present. It returns nil if it is, and otherwise the reason.
type Probe func(ctx context.Context, host string) error

// Options bound a wait.
type Options struct {
	Timeout time.Duration // for all hosts together
	// Hint is a second probe, which runs beside the first. It answers quickly where the first may take long.
	// Its errors are ignored. It may be nil.
	Hint Probe
	// Progress is called with the missing hosts at the times that Often gives. It may be nil.
	Progress func(elapsed time.Duration, missing []Missing)
}

// Missing is a host that is not present yet, and the reason.
type Missing struct {
	Host string
	Err  error // of the last probe; nil while the first probe runs
}

// UnavailableError says that some hosts were still missing at the deadline.
type UnavailableError struct {
	Missing []Missing // at least one; perhaps only the first
	Number  int       // the number of all that are missing; 0 if Missing holds them all
	Of      int       // the number of all hosts, missing or not
	Elapsed time.Duration
	Doubts  []string // what may be wrong with this host itself
}

func (e *UnavailableError) Error() string {
	lines := []string{fmt.Sprintf("%d of %d hosts missing after %s: %s",
		max(e.Number, len(e.Missing)), e.Of, e.Elapsed.Round(100*time.Millisecond), Names(e.Missing, e.Number))}
	for _, doubt := range e.Doubts {
		lines = append(lines, "it may be this host: "+doubt)
	}
	return strings.Join(lines, "\n")
}

// All waits until the probe or the hint has succeeded once for every host. It returns an *UnavailableError
// if the time-out of the options ends before that, and the cause of ctx if ctx does.
func All(ctx context.Context, probe Probe, hosts []string, o Options) error {
	start := time.Now()
	deadline, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	w := missingHosts{lastErrors: make(map[string]error, len(hosts))}
	for _, h := range hosts {
		w.lastErrors[h] = nil
	}
	var probes, progress sync.WaitGroup
	for _, h := range hosts {
		one, found := context.WithCancel(deadline)
		defer found()
		probes.Go(func() { w.retryProbe(one, probe, h, found) })
		if o.Hint != nil {
			probes.Go(func() { w.retryHint(one, o.Hint, h, found) })
		}
	}
	if o.Progress != nil {
		progress.Go(func() {
			Often(deadline, start, func(elapsed time.Duration) { o.Progress(elapsed, w.inOrder(hosts)) })
		})
	}
	probes.Wait()
	cancel()
	progress.Wait()

	missing := w.inOrder(hosts)
	switch {
	case len(missing) == 0:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return &UnavailableError{Missing: missing, Of: len(hosts), Elapsed: time.Since(start)}
	}
}

// missingHosts holds the hosts that are not present yet, and the error of the last probe of each.
type missingHosts struct {
	mu         sync.Mutex
	lastErrors map[string]error
}

// retryProbe probes a host until it is present or ctx ends.
func (w *missingHosts) retryProbe(ctx context.Context, probe Probe, host string, found context.CancelFunc) {
	_ = backoff.Retry(func() error { // record keeps the last error
		err := probe(ctx, host)
		w.record(ctx, host, err, found)
		return err
	}, backoff.WithContext(probePauses(), ctx))
}

// retryHint asks the hint for a host until it is present or ctx ends.
func (w *missingHosts) retryHint(ctx context.Context, hint Probe, host string, found context.CancelFunc) {
	_ = backoff.Retry(func() error { // the errors of a hint are ignored
		err := hint(ctx, host)
		if err == nil {
			w.record(ctx, host, nil, found)
		}
		return err
	}, backoff.WithContext(probePauses(), ctx))
}

// record notes the result of a probe. If the host is present, it calls found, which ends the other probe of
// that host.
func (w *missingHosts) record(ctx context.Context, host string, err error, found context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, isMissing := w.lastErrors[host]
	switch {
	case err == nil:
		delete(w.lastErrors, host)
		found()
	case isMissing && ctx.Err() == nil: // after the end of ctx the error only says that ctx has ended
		w.lastErrors[host] = err
	}
}

// probePauses gives the pauses between two probes of a host, without end. The context of the retries ends
// them.
func probePauses() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = shortestProbePause
	b.RandomizationFactor = probeJitter
	b.MaxInterval = longestProbePause
	b.MaxElapsedTime = 0 // without it the package gives up after 15 minutes
	return b
}

// inOrder returns the missing hosts in the order of hosts.
func (w *missingHosts) inOrder(hosts []string) []Missing {
	w.mu.Lock()
	defer w.mu.Unlock()
	var missing []Missing
	for _, h := range hosts {
		if err, isMissing := w.lastErrors[h]; isMissing {
			missing = append(missing, Missing{Host: h, Err: err})
		}
	}
	return missing
}

// Often calls tell with the time since start until ctx ends: after 1, 2, 5, 10, 30 and 60 s, and then every
// 30 s.
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
