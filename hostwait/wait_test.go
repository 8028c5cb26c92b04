package hostwait

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errUnknown = errors.New("no such host")

// appearing returns a probe of hosts, each of which is present from some time after start on.
func appearing(start time.Time, appear map[string]time.Duration) Probe {
	return func(_ context.Context, host string) error {
		if after, ok := appear[host]; ok && time.Since(start) >= after {
			return nil
		}
		return errUnknown
	}
}

// TestPresentHostsAreNotWaitedFor: where all hosts are present, the wait takes no time.
func TestPresentHostsAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hosts := []string{"a", "b", "c"}
		probe := appearing(start, map[string]time.Duration{"a": 0, "b": 0, "c": 0})
		err := All(t.Context(), probe, hosts, Options{Timeout: time.Minute})
		if err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestLateHostIsNoticedAndReported: a host that appears after four minutes is noticed within 1.2 s. Until
// then the progress reports name it.
func TestLateHostIsNoticedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		const late = 4 * time.Minute
		var reports []string
		probe := appearing(start, map[string]time.Duration{"a": 0, "b": late})
		err := All(t.Context(), probe, []string{"a", "b"}, Options{
			Timeout: 15 * time.Minute,
			Progress: func(after time.Duration, missing []Missing) {
				reports = append(reports, fmt.Sprint(after, missing))
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if noticed := time.Since(start) - late; noticed > 1200*time.Millisecond {
			t.Errorf("noticed after %s", noticed)
		}
		want := []string{}
		for _, after := range []string{
			"1s", "2s", "5s", "10s", "30s", "1m0s", "1m30s", "2m0s", "2m30s", "3m0s", "3m30s", "4m0s",
		} {
			want = append(want, after+" [b (no such host)]")
		}
		if diff := cmp.Diff(want, reports); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}

// TestWaitLastsAsLongAsTheUserSays: the time-out of the options bounds the wait, not the 15 minutes of
// package backoff.
func TestWaitLastsAsLongAsTheUserSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := appearing(time.Now(), map[string]time.Duration{"a": 40 * time.Minute})
		if err := All(t.Context(), probe, []string{"a"}, Options{Timeout: time.Hour}); err != nil {
			t.Error(err)
		}
	})
}

// TestHintIsEnough: the success of the hint ends the wait for a host, however long the probe takes. Only
// the errors of the probe are reported.
func TestHintIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var report string
		err := All(t.Context(), func(ctx context.Context, _ string) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(30 * time.Second):
				return errors.New("the name server does not answer")
			}
		}, []string{"a"}, Options{
			Timeout: time.Hour, Hint: appearing(start, map[string]time.Duration{"a": 80 * time.Second}),
			Progress: func(_ time.Duration, missing []Missing) { report = fmt.Sprint(missing) },
		})
		if err != nil || time.Since(start) > 81200*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if report != "[a (the name server does not answer)]" {
			t.Errorf("reported %s", report)
		}
	})
}

// TestDeadlineIsOneForAllHosts: at the deadline each missing host is named with its last error.
func TestDeadlineIsOneForAllHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hanging := func(ctx context.Context, host string) error {
			if host == "slow" {
				<-ctx.Done()
				return ctx.Err()
			}
			return appearing(start, map[string]time.Duration{"a": 0})(ctx, host)
		}
		err := All(t.Context(), hanging, []string{"c", "a", "slow", "b"}, Options{Timeout: 20 * time.Minute})
		unavailable, ok := errors.AsType[*UnavailableError](err)
		if !ok {
			t.Fatal(err)
		}
		want := "3 of 4 hosts missing after 20m0s: c and b (no such host), slow (no answer yet)"
		if unavailable.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// TestEndOfTheContextEndsTheWait: the wait ends together with its context, and returns the cause of that.
func TestEndOfTheContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		cause := errors.New("stopped by SIGTERM")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3500*time.Millisecond, func() { cancel(cause) })
		err := All(ctx, appearing(start, nil), []string{"a"}, Options{Timeout: time.Hour})
		if !errors.Is(err, cause) || time.Since(start) != 3500*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestAllHostsAreProbedAtOnce: no probe waits for the answer of another one.
func TestAllHostsAreProbedAtOnce(t *testing.T) {
	var hosts []string
	for i := range 64 {
		hosts = append(hosts, fmt.Sprintf("algo-%d", i+1))
	}
	var asked atomic.Int32
	allAsked := make(chan struct{})
	probe := func(ctx context.Context, _ string) error {
		if asked.Add(1) == int32(len(hosts)) {
			close(allAsked)
		}
		select {
		case <-allAsked:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := All(t.Context(), probe, hosts, Options{Timeout: time.Minute}); err != nil {
		t.Errorf("%d of %d were asked: %.200s", asked.Load(), len(hosts), strings.TrimSpace(err.Error()))
	}
}
